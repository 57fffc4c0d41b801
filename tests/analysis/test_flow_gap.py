"""Divergences of densities whose divergence from the dual Ising model is known."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from coarsegrain.analysis.flow_gap import UNCOVERED, flow_gap, histogram, log_weights
from coarsegrain.analysis.gaussian_baseline import best_gaussian
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from ising.exact_fields import covariance, drawn_fields, mean_energy, mean_of_linear

N_SAMPLES = 50_000


def exact_forward_kl(q):
    """KL(p‖q) of a Gaussian q at L = 4, by moments over all states."""
    dual = q.dual
    waves = np.exp(2j * np.pi * np.outer(np.arange(4), np.arange(4)) / 4)
    modes = np.kron(waves, waves)  # of all 16 wave vectors
    power = (modes @ covariance(dual.beta) @ modes.conj().T).diagonal().real.reshape(4, 4) / 16
    power[0, 0] += 16 * q.mean**2
    log_q = -(np.log(2 * np.pi * q.spectrum) + power / q.spectrum).sum() / 2
    if q.symmetric:
        slope = np.full((4, 4), -2 * q.mean / q.spectrum[0, 0])
        log_q += mean_of_linear(lambda t: np.logaddexp(0, t), dual.beta, slope) - math.log(2)
    return -mean_energy(dual.beta) - dual.log_integral() - log_q


def log_weights_of_gaussian(q, seed, n=N_SAMPLES):
    """Log weights of samples of q and of p, L = 4."""
    of_q = q.draw(n, np.random.default_rng(seed))
    of_p = drawn_fields(q.dual, n, seed)
    return [log_weights(q.dual, fields, q.log_density(fields)) for fields in (of_q, of_p)]


def normal_log_weights(spread, log_z, n, seed):
    """ln p/q + ln Z with ln p/q normal: of mean −½ spread² under q, ½ spread² under p."""
    noise = spread * np.random.default_rng(seed).standard_normal((2, n))
    return noise[0] - spread**2 / 2 + log_z, noise[1] + spread**2 / 2 + log_z


@pytest.fixture(scope="module", params=[1.0, 0.6, BETA_CRITICAL, 0.2])
def beta(request):
    return request.param


@pytest.fixture(scope="module", params=[False, True], ids=["one-sided", "symmetric"])
def gaussian(request, beta):
    return best_gaussian(DualIsing(4, beta), symmetric=request.param)


@pytest.fixture(scope="module")
def found(gaussian):
    log_z = gaussian.dual.log_integral()
    return flow_gap(*log_weights_of_gaussian(gaussian, seed=5), log_z)


def test_gap_of_a_gaussian_is_that_in_closed_form(gaussian, found):
    assert abs(found.gap - gaussian.gap()) < 4 * found.gap_error


def test_forward_divergence_of_a_gaussian_is_that_of_all_states(gaussian, found):
    assert abs(found.forward - exact_forward_kl(gaussian)) < 4 * found.forward_error


def test_samples_of_q_and_of_p_bracket_log_z(found):
    assert found.lower + found.gap == pytest.approx(found.log_z, abs=1e-12)
    assert found.upper - found.forward == pytest.approx(found.log_z, abs=1e-12)
    assert found.lower - 4 * found.gap_error < found.log_z < found.upper + 4 * found.forward_error


@pytest.mark.parametrize("beta", [1.0], indirect=True)
@pytest.mark.parametrize("gaussian", [False], indirect=True)
def test_density_that_misses_half_of_p_shows_in_samples_of_p_only(found):
    """Nothing but ln 2 in the gap; half of p is uncovered, and by its own samples q looks well."""
    assert found.gap == pytest.approx(math.log(2), abs=0.01)
    assert abs(found.uncovered - 0.5) < 4 * found.uncovered_error
    assert found.forward > 100
    assert found.ess > 0.1
    assert found.ess_of_exact < 1e-100


def test_divergences_between_two_temperatures_are_those_of_their_energies():
    """q is the dual at another β: KL(q‖p) = ⟨E_p⟩_q − ⟨E_q⟩_q + ln Z_p − ln Z_q."""
    p, q = DualIsing(4, 0.33), DualIsing(4, 0.3)
    of_q, of_p = drawn_fields(q, N_SAMPLES, seed=6), drawn_fields(p, N_SAMPLES, seed=7)
    weights = [
        log_weights(p, fields, -q.energy(fields) - q.log_integral()) for fields in (of_q, of_p)
    ]
    gap = flow_gap(*weights, p.log_integral())
    # E_p − E_q is quadratic
    inverse = [1 / dual.spectrum for dual in (p, q)]
    row = np.fft.ifft2(inverse[0] - inverse[1]).real
    matrix = np.array([np.roll(row, (i, j), axis=(0, 1)).reshape(16) for i, j in np.ndindex(4, 4)])
    apart = p.log_integral() - q.log_integral()
    assert abs(gap.gap - np.sum(matrix * covariance(0.3)) / 2 - apart) < 4 * gap.gap_error
    assert abs(gap.forward + np.sum(matrix * covariance(0.33)) / 2 + apart) < 4 * gap.forward_error
    assert gap.ess == pytest.approx(gap.ess_of_exact, rel=0.05)


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_normal_log_weights_have_known_divergences(spread):
    n = 100_000
    found = flow_gap(*normal_log_weights(spread, 12.0, n, seed=8), 12.0)
    for value in (found.gap, found.forward):
        assert abs(value - spread**2 / 2) < 4 * spread / math.sqrt(n)
    for error in (found.gap_error, found.forward_error):
        assert error == pytest.approx(spread / math.sqrt(n), rel=4 / math.sqrt(2 * n))
    uncovered = norm.sf((UNCOVERED - spread**2 / 2) / spread)
    assert abs(found.uncovered - uncovered) <= 4 * math.sqrt(uncovered / n)


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
def test_normal_log_weights_have_a_known_effective_sample_size(spread):
    """exp(−spread²). The relative variances of ⟨p/q⟩_p and ⟨(p/q)²⟩_q are known, too."""
    n = 100_000
    found = flow_gap(*normal_log_weights(spread, 12.0, n, seed=8), 12.0)
    exact = math.exp(-(spread**2))
    assert found.ess_of_exact == pytest.approx(exact, rel=4 * (math.expm1(spread**2) / n) ** 0.5)
    assert found.ess == pytest.approx(exact, rel=4 * (math.expm1(4 * spread**2) / n) ** 0.5)


def test_errors_are_the_spread_over_sets_of_samples():
    q = best_gaussian(DualIsing(4, 0.6), symmetric=True)
    log_z = q.dual.log_integral()
    sets = [flow_gap(*log_weights_of_gaussian(q, seed, n=500), log_z) for seed in range(100)]
    for name in ("gap", "forward", "uncovered"):
        spread = np.std([getattr(each, name) for each in sets], ddof=1)
        error = np.mean([getattr(each, f"{name}_error") for each in sets])
        # a standard deviation of 100 values is known to 7 %
        assert spread == pytest.approx(error, rel=0.28)


def test_largest_weight_is_its_share_of_the_sum():
    of_q = np.log([1.0, 2.0, 5.0]) + 700
    assert flow_gap(of_q, of_q, 0.0).largest_weight == pytest.approx(5 / 8)
    assert flow_gap(np.zeros(50), np.zeros(50), 0.0).largest_weight == pytest.approx(1 / 50)


def test_equal_log_weights_are_at_distance_zero():
    found = flow_gap(np.full(10, 3.0), np.full(20, 3.0), 3.0)
    assert (found.gap, found.forward, found.uncovered) == (0, 0, 0)
    assert (found.gap_error, found.forward_error, found.uncovered_error) == (0, 0, 0)
    assert (found.ess, found.ess_of_exact) == (1, 1)


def test_histogram_of_p_is_that_of_q_times_p_over_q():
    n = 200_000
    found = histogram(*normal_log_weights(1.0, 12.0, n, seed=9), 12.0, reach=4, bins=32)
    assert found.of_p.sum() == pytest.approx(1)
    assert found.of_q.sum() == pytest.approx(1)
    inner = slice(1, -1)
    of_p, of_q = found.of_p[inner], found.of_q[inner]
    low, high = np.exp(found.edges[:-1])[inner], np.exp(found.edges[1:])[inner]
    error = np.sqrt(of_p / n + high**2 * of_q / n)
    assert (of_p > low * of_q - 4 * error).all()
    assert (of_p < high * of_q + 4 * error).all()


def test_histogram_keeps_what_lies_beyond_its_edges():
    found = histogram(np.array([-99.0, 0.1]), np.array([99.0, 99.0, 0.6, 40.0]), 0.0, bins=160)
    assert found.of_q[[0, 80]].tolist() == [0.5, 0.5]
    assert found.of_p[[81, -1]].tolist() == [0.25, 0.75]


def test_log_weights_of_many_fields_are_those_of_each():
    dual = DualIsing(4, 0.4)
    fields = np.random.default_rng(10).standard_normal((9000, 4, 4))
    log_q = np.arange(9000.0)
    expected = -dual.energy(fields) - log_q
    np.testing.assert_allclose(log_weights(dual, fields, log_q), expected, rtol=1e-12)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_flows_that_have_diverged_are_refused(value):
    dual = DualIsing(4, 0.4)
    fields = np.zeros((5, 4, 4))
    with pytest.raises(ValueError, match="1 of 5 fields have no finite energy or ln q"):
        log_weights(dual, fields, np.array([0, 0, value, 0, 0]))
    fields[3, 1, 2] = value
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match="1 of 5 fields have no finite energy or ln q"),
    ):
        log_weights(dual, fields, np.zeros(5))
