"""Couplings fitted to lattices of known couplings."""

import numpy as np
import pytest

from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rbm.chains import gibbs_chains
from coarsegrain.rbm.coupling_fit import fields, fitted_couplings
from coarsegrain.rbm.effective_couplings import OPERATORS
from rbm.machines import ising_machine


def random_lattices(n, L, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(n, L, L))


def test_fields_are_sums_over_the_other_spins_of_the_terms_with_a_site():
    (s,) = random_lattices(1, 6)
    found = [fields(s[None], operator)[0] for operator in OPERATORS]

    def at(row, col):
        return int(s[row % 6, col % 6])

    for row, col in ((0, 0), (2, 5), (4, 3)):
        around = [(0, 1), (0, -1), (1, 0), (-1, 0)]
        corners = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
        assert found[0][row, col] == sum(at(row + a, col + b) for a, b in around)
        assert found[1][row, col] == sum(at(row + a, col + b) for a, b in corners)
        assert found[2][row, col] == sum(at(row + 2 * a, col + 2 * b) for a, b in around)
        assert found[3][row, col] == sum(
            at(row + a, col) * at(row, col + b) * at(row + a, col + b) for a, b in corners
        )


def test_couplings_of_ising_lattices_are_the_input_and_zeros_within_errors():
    spins = sample_lattices(np.full(4000, 0.4), 8, seed=5)
    found, errors = fitted_couplings(spins)
    assert errors.max() < 0.01
    assert abs((found - [0.4, 0, 0, 0]) / errors).max() < 4


def test_one_coupling_is_found_more_precisely_than_with_others():
    spins = sample_lattices(np.full(1000, 0.3), 8, seed=6)
    (found,), (error,) = fitted_couplings(spins, OPERATORS[:1])
    assert abs(found - 0.3) < 4 * error
    assert error < fitted_couplings(spins)[1][0]


def test_errors_are_the_spread_over_sets_of_lattices():
    spins = sample_lattices(np.full(4000, 0.35), 8, seed=7).reshape(20, 200, 8, 8)
    results = [fitted_couplings(each) for each in spins]
    found, errors = (np.array([each[k] for each in results]) for k in (0, 1))
    np.testing.assert_allclose(found.std(axis=0, ddof=1), errors.mean(axis=0), rtol=0.6)


def test_samples_of_the_machine_that_is_the_ising_model_have_its_coupling():
    start = sample_lattices(np.full(1024, 0.4), 8, seed=8)
    samples = gibbs_chains(ising_machine(0.4, 8), start, [30], seed=1)
    found, errors = fitted_couplings(samples.reshape(-1, 8, 8))
    assert abs((found - [0.4, 0, 0, 0]) / errors).max() < 4


def test_lattices_that_determine_no_coupling_are_refused():
    with pytest.raises(ValueError, match="do not determine"):
        fitted_couplings(np.ones((20, 4, 4), dtype=np.int8))
    with pytest.raises(ValueError, match="3 lattices cannot make 20 blocks"):
        fitted_couplings(np.ones((3, 4, 4), dtype=np.int8))
