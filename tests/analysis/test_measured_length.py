"""The curve through measured correlation lengths against least squares by numpy, and its errors."""

import numpy as np
import pytest
from scipy.stats import chi2

from coarsegrain.analysis.measured_length import fit_log_length

RNG = np.random.default_rng(5)
K = np.geomspace(0.05, 1.5, 20)
ERROR = RNG.uniform(0.01, 0.05, 20)
XI = np.exp(0.3 + np.log(K)) * (1 + ERROR * RNG.normal(size=20))


def scaled(K_now):
    return 2 * (np.log(K_now) - np.log(K[0])) / np.log(K[-1] / K[0]) - 1


@pytest.mark.parametrize("degree", [0, 1, 4, 8])
def test_curve_is_numpys_weighted_least_squares_in_log_k(degree):
    curve = fit_log_length(K, XI, ERROR, degree=degree)
    weight = XI / ERROR  # 1/σ of ln ξ
    expected, (rest, *_) = np.polynomial.Chebyshev.fit(
        scaled(K), np.log(XI), degree, domain=[-1, 1], w=weight, full=True
    )
    at = np.linspace(0.05, 1.5, 50)
    values, slopes = curve(at)
    by_x = 2 / np.log(K[-1] / K[0]) / at
    np.testing.assert_allclose(values, expected(scaled(at)), rtol=0, atol=1e-11)
    np.testing.assert_allclose(slopes, expected.deriv()(scaled(at)) * by_x, rtol=1e-8, atol=1e-10)
    assert curve.chi_squared == pytest.approx(rest[0], rel=1e-9)
    assert curve.freedom == 20 - degree - 1


def test_beyond_its_ends_the_curve_goes_on_straight():
    curve = fit_log_length(K, XI, ERROR, degree=5)
    for end, outside in ((0.05, 0.001), (1.5, 3.0)):
        (value, beyond), (slope, _) = curve([end, outside])
        assert beyond == pytest.approx(value + slope * end * np.log(outside / end), rel=1e-12)


def test_errors_of_coefficients_are_independent_and_as_told():
    fits = []
    for seed in range(400):
        noise = np.random.default_rng(seed).normal(size=20)
        fits.append(fit_log_length(K, np.exp(0.02 * noise), np.full(20, 0.02), degree=3))
    z = np.array([fit.coefficients for fit in fits]) / np.sqrt([fit.variances for fit in fits])
    assert chi2.ppf(1e-4, z.size) < (z**2).sum() < chi2.ppf(1 - 1e-4, z.size)
    correlations = np.corrcoef(z.T)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(len(z))
    found = sum(fit.chi_squared for fit in fits)
    assert chi2.ppf(1e-4, 16 * 400) < found < chi2.ppf(1 - 1e-4, 16 * 400)


def solved(curve, K_now, b):
    """K' with f(K') = f(K) − ln b, by bisection."""
    low, high = 1e-3, K_now
    for _ in range(60):
        middle = (low + high) / 2
        if curve([middle])[0][0] < curve([K_now])[0][0] - np.log(b):
            low = middle
        else:
            high = middle
    return middle


def test_error_of_the_coupling_is_the_spread_of_couplings_from_repeated_measurements():
    exact, after, told = K.copy(), [], []
    for seed in range(300):
        noise = np.random.default_rng(seed).normal(size=20)
        curve = fit_log_length(K, exact * np.exp(0.02 * noise), 0.02 * exact, degree=3)
        after.append(solved(curve, 1.0, 2))
        told.append(curve.error_of_coupling([1.0], [after[-1]])[0])
    z = (np.array(after) - 0.5) / np.array(told)  # ln ξ = ln K: half the length at half the K
    assert chi2.ppf(1e-4, 300) < (z**2).sum() < chi2.ppf(1 - 1e-4, 300)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="degree 3 takes more than 3 points"):
        fit_log_length(K[:3], XI[:3], ERROR[:3], degree=3)
