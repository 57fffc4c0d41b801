"""Autocorrelation times of processes whose answer is exact."""

import math

import numpy as np
import pytest

from coarsegrain.analysis.autocorrelation import autocorrelation_time, autocorrelations


def autoregressive(a, steps, chains, seed):
    """x' = a x + √(1 − a²) noise: ρ(t) = aᵗ, τ = ½ + a/(1 − a)."""
    rng = np.random.default_rng(seed)
    x = np.empty((steps, chains))
    x[0] = rng.standard_normal(chains)
    for t in range(1, steps):
        x[t] = a * x[t - 1] + math.sqrt(1 - a * a) * rng.standard_normal(chains)
    return x + 17


@pytest.mark.parametrize("a", [-0.3, 0.0, 0.5, 0.8, 0.95])
def test_of_an_autoregressive_process_it_is_one_half_plus_a_over_one_minus_a(a):
    exact = 0.5 + a / (1 - a)
    found = autocorrelation_time(autoregressive(a, 1000, 200, seed=1))
    # what lies beyond the window is lost: at most e^(−6) of τ, and some by the window's own noise
    assert abs(found.value - exact) < 4 * found.error + 0.003 * exact


def test_errors_are_the_spread_of_repetitions():
    found = [autocorrelation_time(autoregressive(0.7, 200, 50, seed)) for seed in range(100)]
    spread = np.std([each.value for each in found], ddof=1)
    assert 0.7 < np.mean([each.error for each in found]) / spread < 1.4


def test_many_short_chains_tell_as_much_as_one_long_one():
    short, long_ = autoregressive(0.8, 100, 2000, 1), autoregressive(0.8, 200_000, 1, 2)
    one, other = autocorrelation_time(short), autocorrelation_time(long_)
    assert abs(one.value - other.value) < 4 * math.hypot(one.error, other.error)


def test_autocorrelations_are_those_of_plain_sums():
    x = autoregressive(0.6, 30, 4, seed=3)
    away = x - x.mean()
    plain = [(away[t:] * away[: 30 - t]).mean() for t in range(30)]
    assert np.allclose(autocorrelations(x), np.array(plain) / plain[0])


@pytest.mark.parametrize("observed", [autoregressive(0.99, 40, 100, seed=4), np.ones((50, 3))])
def test_chains_that_are_too_short_or_stand_still_have_none(observed):
    found = autocorrelation_time(observed)
    assert math.isnan(found.value)
    assert math.isnan(found.error)
