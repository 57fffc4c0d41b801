"""Thermometer E against lattices whose β is known."""

import numpy as np
import pytest

from coarsegrain.analysis.exact_thermometer import exact_beta
from coarsegrain.ising.exact import energy_per_site
from coarsegrain.ising.observables import energy_per_site as energies_per_site
from coarsegrain.ising.sampler import sample_lattices

BETAS = np.array([0.02, 0.1, 0.2, 0.3, 0.38, 0.42, 0.44, 0.46, 0.5, 0.55])


@pytest.fixture(scope="module")
def readings():
    """(16 sets, betas) of 100 lattices each."""
    spins = sample_lattices(np.tile(np.repeat(BETAS, 100), 16), 16, seed=3)
    sets = spins.reshape(16, len(BETAS), 100, 16, 16)
    return np.array([[exact_beta(each) for each in row] for row in sets])


def test_it_reads_the_beta_of_sampled_lattices_within_its_own_error(readings):
    scores = (readings[..., 0] - BETAS) / readings[..., 1]
    assert abs(scores).max() < 5
    # 160 independent scores: their mean square is 1 within four of its own standard errors
    assert abs((scores**2).mean() - 1) < 4 * (2 / scores.size) ** 0.5


def test_it_inverts_the_exact_energy():
    spins = sample_lattices(np.full(50, 0.3), 8, seed=1)
    reading = exact_beta(spins)
    measured = float(energies_per_site(spins).mean())
    assert energy_per_site(reading.beta, 8) == pytest.approx(measured, abs=1e-12)


def test_every_second_spin_flipped_is_the_opposite_beta():
    spins = sample_lattices(np.full(50, 0.3), 8, seed=2)
    staggered = spins * (1 - 2 * (np.indices((8, 8)).sum(axis=0) % 2)).astype(np.int8)
    assert exact_beta(staggered).beta == pytest.approx(-exact_beta(spins).beta)
    assert exact_beta(staggered).std_error == pytest.approx(exact_beta(spins).std_error)


@pytest.mark.parametrize("sign", [1, -1])
def test_ground_states_have_no_finite_beta(sign):
    spins = np.ones((3, 4, 4), dtype=np.int8)
    spins[:, ::2, ::2] *= sign
    spins[:, 1::2, 1::2] *= sign
    assert np.isnan(exact_beta(spins)).all()


def test_sizes_that_kaufman_does_not_know_are_refused():
    with pytest.raises(ValueError, match="L is 5"):
        exact_beta(np.ones((3, 5, 5), dtype=np.int8))
