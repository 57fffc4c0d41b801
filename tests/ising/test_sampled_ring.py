"""Sampled rings against the exact distribution, and lengths measured on them."""

import numpy as np
import pytest
from scipy.stats import chi2, norm

from coarsegrain.ising import ring
from coarsegrain.ising.sampled_ring import (
    length_of_correlation,
    measured_correlation_length,
    sample_rings,
)


@pytest.mark.parametrize("N", [3, 6, 7])
@pytest.mark.parametrize("K", [0.0, 0.3, 1.0])
def test_sampled_rings_have_the_exact_distribution(K, N):
    n = 200_000
    spins = sample_rings(K, N, n, rng=np.random.default_rng(N))
    assert spins.dtype == np.int8
    counts = np.bincount((spins < 0) @ 2 ** np.arange(N), minlength=2**N)
    expected = n * ring.state_probabilities(K, N)
    distance = float(((counts - expected) ** 2 / expected).sum())
    assert 1e-4 < chi2.sf(distance, 2**N - 1) < 1 - 1e-4


@pytest.mark.parametrize("r", [1, 2, 5])
@pytest.mark.parametrize(("K", "N"), [(0.5, 32), (0.8, 32), (1.2, 64)])
def test_measured_length_is_the_exact_one_within_its_error(K, N, r):
    rng = np.random.default_rng([N, r])
    xi, error = measured_correlation_length(K, N, 40_000, r=r, rng=rng)
    assert 0 < error < 0.2
    assert abs(xi - ring.correlation_length(K)) < 4 * error


def test_error_of_a_measured_length_is_the_spread_of_repeated_measurements():
    rng, exact = np.random.default_rng(3), ring.correlation_length(0.8)
    repeats = [measured_correlation_length(0.8, 32, 1_000, rng=rng) for _ in range(200)]
    z = np.array([(xi - exact) / error for xi, error in repeats])
    assert chi2.ppf(1e-4, 200) < (z**2).sum() < chi2.ppf(1 - 1e-4, 200)
    assert abs(z.mean()) < norm.ppf(1 - 1e-4) / np.sqrt(200)


def test_neighbours_have_the_smallest_error():
    errors = [
        measured_correlation_length(1.0, 64, 20_000, r=r, rng=np.random.default_rng(1)).std_error
        for r in (1, 2, 4)
    ]
    assert errors == sorted(errors)


@pytest.mark.parametrize("r", [1, 3, 10])
@pytest.mark.parametrize(("K", "N"), [(0.1, 20), (1.0, 20), (2.0, 21), (1.5, 256)])
def test_length_of_an_exact_correlation_is_exact_even_on_short_rings(K, N, r):
    value = ring.correlation(K, N, r)
    xi, slope = length_of_correlation(value, N, r)
    assert xi == pytest.approx(ring.correlation_length(K), rel=1e-9)
    step = 1e-6 * value
    above, _ = length_of_correlation(value + step, N, r)
    below, _ = length_of_correlation(value - step, N, r)
    assert slope == pytest.approx(2 * step / (above - below), rel=1e-4)


def test_rings_that_are_too_short_or_show_no_correlation_are_refused():
    with pytest.raises(ValueError, match=r"too short for: sample rings of more than 10 ξ"):
        measured_correlation_length(1.5, 64, 100, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="sample more of them"):
        measured_correlation_length(-0.1, 64, 100, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="3 spins or more, not 2"):
        sample_rings(1.0, 2, 10, rng=np.random.default_rng(1))
