"""The best Gaussian against other minimizations, dense normal densities and its own samples."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from coarsegrain.analysis.gaussian_baseline import GaussianBaseline, best_gaussian
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from ising.exact_fields import assert_mean, normal_mean

T_C = 1 / BETA_CRITICAL


@pytest.mark.parametrize(
    ("L", "T", "gap"),
    [
        (16, 2.0, "3.99"),
        (16, T_C, "7.24"),
        (16, 2.5, "11.8"),
        (16, 4.0, "6.44"),
        (32, 2.0, "13.9"),
        (32, T_C, "27.0"),
        (32, 2.3, "29.3"),
        (32, 2.5, "46.7"),
        (32, 4.0, "25.8"),
    ],
)
def test_gap_is_that_of_an_independent_minimization_to_its_last_digit(L, T, gap):
    last_digit = 10.0 ** -len(gap.split(".")[1])
    assert best_gaussian(DualIsing(L, 1 / T)).gap() == pytest.approx(float(gap), abs=last_digit)


@pytest.mark.parametrize("T", [1.0, 2.0, T_C, 2.8, 2.9, 5.0])
@pytest.mark.parametrize("L", [4, 16])
def test_best_gaussian_solves_the_equations_of_its_derivation(L, T):
    dual = DualIsing(L, 1 / T)
    q = best_gaussian(dual)
    variance = q.spectrum.mean()
    tanh = normal_mean(np.tanh, q.mean, variance)
    sech2 = normal_mean(lambda x: 1 / np.cosh(x) ** 2, q.mean, variance)
    np.testing.assert_allclose(1 / dual.spectrum - 1 / q.spectrum, sech2, atol=1e-7)
    assert q.mean == pytest.approx(dual.spectrum[0, 0] * tanh, abs=1e-7)


@pytest.mark.parametrize("T", [1.5, T_C, 3.0])
def test_no_other_gaussian_is_better(T):
    """Change the mean, and every eigenvalue with that of the opposite wave vector, at random."""
    dual = DualIsing(8, 1 / T)
    best = best_gaussian(dual)
    rng = np.random.default_rng(0)
    for size in (0.01, 0.1, 0.5):
        for _ in range(10):
            change = size * rng.standard_normal((8, 8))
            change += np.roll(change[::-1, ::-1], (1, 1), axis=(0, 1))
            mean = best.mean + size * rng.standard_normal()
            other = GaussianBaseline(dual, mean, best.spectrum * np.exp(change), symmetric=False)
            assert other.gap() > best.gap()


@pytest.mark.parametrize("T", [2.0, 2.6, 2.85, 3.2])
def test_the_better_of_the_two_minima_is_found(T):
    """None of a scan over μ and c is better."""
    dual = DualIsing(16, 1 / T)
    best = best_gaussian(dual).gap()
    for mean in np.linspace(0, dual.spectrum[0, 0], 12):
        for share in (0.01, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.99):
            spectrum = 1 / (1 / dual.spectrum - share / dual.spectrum[0, 0])
            assert GaussianBaseline(dual, mean, spectrum, symmetric=False).gap() > best


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("T", [1.5, T_C, 3.0])
def test_gap_is_the_mean_over_samples(T, symmetric):
    dual = DualIsing(8, 1 / T)
    q = best_gaussian(dual, symmetric=symmetric)
    fields = q.draw(20_000, np.random.default_rng(1))
    assert_mean(q.log_density(fields) + dual.energy(fields) + dual.log_integral(), q.gap())


@pytest.mark.parametrize("symmetric", [False, True])
def test_gap_of_a_small_mean_is_the_mean_over_samples(symmetric):
    """Here the two halves of a symmetric density overlap."""
    dual = DualIsing(4, 0.3)
    spectrum = best_gaussian(dual).spectrum / 2
    q = GaussianBaseline(dual, 0.8, spectrum, symmetric=symmetric)
    fields = q.draw(50_000, np.random.default_rng(2))
    assert_mean(q.log_density(fields) + dual.energy(fields) + dual.log_integral(), q.gap())


@pytest.mark.parametrize("symmetric", [False, True])
def test_log_density_is_that_of_dense_normal_densities(symmetric):
    dual = DualIsing(4, 0.4)
    q = GaussianBaseline(dual, 0.7, best_gaussian(dual).spectrum, symmetric=symmetric)
    # row 0 of the covariance is the inverse transform of the spectrum; the others are it, shifted
    row = np.fft.ifft2(q.spectrum).real
    covariance = np.array(
        [np.roll(row, (i, j), axis=(0, 1)).reshape(16) for i, j in np.ndindex(4, 4)]
    )
    fields = np.random.default_rng(3).standard_normal((10, 4, 4)) * 2
    halves = [
        multivariate_normal(np.full(16, mean), covariance).logpdf(fields.reshape(10, 16))
        for mean in (0.7, -0.7)
    ]
    expected = np.logaddexp(*halves) - math.log(2) if symmetric else halves[0]
    np.testing.assert_allclose(q.log_density(fields), expected, rtol=1e-10)


def test_samples_have_the_mean_and_the_spectrum():
    n = 20_000
    q = best_gaussian(DualIsing(8, 1 / 2.5))
    apart = q.draw(n, np.random.default_rng(4)) - q.mean
    error_of_means = math.sqrt(q.spectrum.mean() / n)
    assert np.abs(apart.mean(axis=0)).max() < 4 * error_of_means
    power = np.abs(np.fft.fft2(apart)) ** 2 / 64
    error = power.std(axis=0) / math.sqrt(n)
    assert (np.abs(power.mean(axis=0) - q.spectrum) < 4 * error).all()


@pytest.mark.parametrize(("T", "ordered"), [(1.0, True), (T_C, True), (2.9, False), (5.0, False)])
def test_mean_is_zero_at_high_temperature_only(T, ordered):
    q = best_gaussian(DualIsing(16, 1 / T))
    assert (abs(q.mean) > 2) == ordered
    assert ordered or abs(q.mean) < 1e-6


@pytest.mark.parametrize("T", [1.0, T_C, 4.0])
def test_either_sign_of_the_mean_gains_ln_2_where_the_halves_are_apart(T):
    dual = DualIsing(16, 1 / T)
    one, both = best_gaussian(dual), best_gaussian(dual, symmetric=True)
    gain = math.log(2) if T < 2.5 else 0.0
    assert one.gap() - both.gap() == pytest.approx(gain, abs=1e-6)
    assert both.gap() > 0
    fields = one.draw(10, np.random.default_rng(5))
    np.testing.assert_allclose(both.log_density(-fields), both.log_density(fields), rtol=1e-12)


def test_gap_at_low_temperature_is_that_of_one_minimum_of_two():
    """As T → 0, p itself is half of one normal density and half of its mirror image."""
    assert best_gaussian(DualIsing(8, 2.0)).gap() == pytest.approx(math.log(2), abs=1e-4)
