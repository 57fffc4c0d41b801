"""Chains seen step by step are those that make lattices."""

import numpy as np
import pytest

from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.ising.sampler.chain_states import chain_states


@pytest.mark.parametrize(("L", "chains"), [(4, 5), (8, 40)])
def test_states_are_lattices_of_longer_and_longer_chains(L, chains):
    seen = list(chain_states(0.43, L, chains=chains, burn_in=3, steps=4, seed=2**40 + 5))
    for steps, spins in enumerate(seen, start=4):
        lattices = sample_lattices([0.43] * chains, L, seed=2**40 + 5, steps=steps)
        assert np.array_equal(spins, lattices)
