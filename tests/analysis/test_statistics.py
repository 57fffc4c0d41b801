"""Errors against simulations whose true spread is known."""

import numpy as np
import pytest

from coarsegrain.analysis.statistics import crossed_standard_error, standard_error


def test_standard_error_of_independent_values():
    values = np.random.default_rng(0).normal(size=(2, 400))
    np.testing.assert_allclose(standard_error(values), values.std(axis=1, ddof=1) / 20)


def test_crossed_error_is_the_true_spread_of_the_grand_mean():
    rng = np.random.default_rng(1)
    means, squared_errors = [], []
    for _ in range(4000):
        members, lattices = rng.normal(size=(5, 1)) * 0.7, rng.normal(size=(1, 30))
        values = members + lattices
        means.append(values.mean())
        squared_errors.append(crossed_standard_error(values) ** 2)
    true = 0.7**2 / 5 + 1 / 30
    assert np.mean(squared_errors) == pytest.approx(true, rel=4 * 0.7 / np.sqrt(4000))
    assert np.var(means) == pytest.approx(true, rel=4 * np.sqrt(2 / 4000))


def test_crossed_error_of_one_member_is_that_of_its_lattices():
    values = np.random.default_rng(2).normal(size=(1, 50))
    assert crossed_standard_error(values) == pytest.approx(float(standard_error(values)[0]))
