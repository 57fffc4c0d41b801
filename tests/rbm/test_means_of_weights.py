"""Means of weights whose mean is known to be 1: errors hold where they are believed."""

import numpy as np
import pytest

from coarsegrain.rbm.estimate import FEWEST_EFFECTIVE, SMALLEST_SHARE, log_mean


def found(spread, n, *, samples=600):
    """Estimates of ln ⟨w⟩ = 0 from normal ln w."""
    rng = np.random.default_rng(8)
    logs = spread * rng.standard_normal((samples, n)) - spread**2 / 2
    return [log_mean(each) for each in logs]


def test_equal_weights_have_no_error_and_count_all():
    estimate = log_mean(np.full(40, 800.0))
    assert estimate.value == pytest.approx(800.0)
    assert (estimate.std_error, estimate.ess, estimate.believed) == (0.0, 1.0, True)


def test_effective_sample_size_of_the_sample_is_kongs():
    logs = np.log(np.array([1.0, 1.0, 1.0, 1.0, 2.0]))
    assert log_mean(logs).ess == pytest.approx(36 / (5 * 8))
    assert log_mean(logs).std_error == pytest.approx(np.exp(logs).std(ddof=1) / 5**0.5 / 1.2)


@pytest.mark.parametrize("n", [64, 256, 1000, 10_000])
@pytest.mark.parametrize("spread", [0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0])
def test_estimates_are_believed_where_weights_allow_it_and_seldom_wrong(spread, n):
    estimates = found(spread, n, samples=100 if n > 1000 else 600)
    believed = np.array([each.believed for each in estimates])
    scores = np.array([each.value / max(each.std_error, 1e-9) for each in estimates])
    wrong = believed & (abs(scores) > 3)
    assert wrong.mean() < 0.02
    share = np.exp(-(spread**2))
    if share > 2 * max(FEWEST_EFFECTIVE / n, SMALLEST_SHARE):
        assert believed.mean() > 0.9
    if share < 0.3 * max(FEWEST_EFFECTIVE / n, SMALLEST_SHARE):
        assert believed.mean() < 0.1


def test_estimates_of_weights_that_spread_too_much_are_low_and_not_believed():
    estimates = found(4.0, 1000)  # the share is e^-16: 10⁻⁷
    assert np.median([each.value for each in estimates]) < -1
    assert not any(each.believed for each in estimates)


def test_known_factors_move_the_value_only():
    estimate = log_mean(np.array([0.0, 1.0]))
    assert estimate.plus(5.0) == estimate._replace(value=estimate.value + 5.0)
