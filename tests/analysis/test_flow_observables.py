"""Observables of densities of fields whose spins are Ising lattices, or nearly so."""

import math

import numpy as np
import pytest

from coarsegrain.analysis.distant_thermometer import correlation_length, log_wave_ratio, long_waves
from coarsegrain.analysis.flow_gap import FlowGap, flow_gap, log_weights
from coarsegrain.analysis.flow_observables import (
    Observable,
    collapse,
    energy_per_site,
    observables,
)
from coarsegrain.analysis.gaussian_baseline import best_gaussian
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.exact import energy_per_site as kaufmans_energy
from coarsegrain.ising.observables import energy_per_site as energy_of_spins
from ising.exact_fields import N, drawn_fields, probabilities
from rg.exact_states import all_states

WARMER = 1 / 2.5
NAMES = ["energy", "magnetization_squared", "abs_magnetization", "correlation_length"]


def exact_values(beta):
    """The four observables at L = 4, by all states."""
    p, (uniform, wave) = probabilities(beta), long_waves(all_states())
    length = correlation_length(math.log((p @ uniform) / (p @ wave)), 4)
    return [
        p @ energy_of_spins(all_states()),
        p @ uniform / N**2,
        p @ np.sqrt(uniform) / N,
        length,
    ]


def of_a_flow_at(beta, n, seed):
    """Observables at β_c of a flow that is the dual at another β."""
    p, q = DualIsing(4, BETA_CRITICAL), DualIsing(4, beta)
    of_q, of_p = drawn_fields(q, n, seed), drawn_fields(p, n, seed + 1)
    weights = log_weights(p, of_q, -q.energy(of_q) - q.log_integral())
    return observables(p, of_q, weights, of_p, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def warmer_flow():
    return of_a_flow_at(WARMER, 100_000, seed=1)


def test_observables_of_a_flow_at_another_temperature_are_those_of_its_temperature(warmer_flow):
    assert [each.name for each in warmer_flow] == NAMES
    for each, exact in zip(warmer_flow, exact_values(WARMER)):
        assert abs(each.flow - exact) < 4 * each.flow_error


def test_weights_bring_them_to_the_temperature_of_p(warmer_flow):
    for each, exact in zip(warmer_flow, exact_values(BETA_CRITICAL)):
        assert abs(each.weighted - exact) < 4 * each.weighted_error
        assert abs(each.weighted - each.flow) > 20 * each.flow_error


def test_exact_samples_have_the_exact_observables(warmer_flow):
    for each, exact in zip(warmer_flow, exact_values(BETA_CRITICAL)):
        assert abs(each.sampled - exact) < 4 * each.sampled_error
    assert warmer_flow[0].exact == kaufmans_energy(BETA_CRITICAL, 4)
    assert all(math.isnan(each.exact) for each in warmer_flow[1:])


def test_equal_weights_change_nothing():
    dual = DualIsing(4, BETA_CRITICAL)
    fields = drawn_fields(dual, 5000, seed=2)
    equal = np.full(5000, -123.0)
    for each in observables(dual, fields, equal, fields, rng=np.random.default_rng(0)):
        assert each.weighted == pytest.approx(each.flow, rel=1e-12)
        assert each.weighted_error == pytest.approx(each.flow_error, rel=1e-12)


def test_errors_are_the_spread_over_sets_of_samples():
    sets = [of_a_flow_at(WARMER, 500, seed) for seed in range(3, 203, 2)]
    for name, of_sets in zip(NAMES, zip(*sets)):
        for column in ("flow", "weighted", "sampled"):
            spread = np.std([getattr(each, column) for each in of_sets], ddof=1)
            error = np.mean([getattr(each, f"{column}_error") for each in of_sets])
            # a standard deviation of 100 values is known to 7 %
            assert spread == pytest.approx(error, rel=0.28), (name, column)


def test_length_and_its_error_are_those_of_the_long_waves_of_spins():
    dual = DualIsing(4, BETA_CRITICAL)
    fields = drawn_fields(dual, 5000, seed=4)
    found = observables(dual, fields, np.zeros(5000), fields, rng=np.random.default_rng(5))[3]
    spins = dual.draw_spins(fields, np.random.default_rng(5))
    y, error = log_wave_ratio(spins)
    assert found.flow == pytest.approx(correlation_length(y, 4), rel=1e-12)
    step = 1e-5
    slope = (correlation_length(y + step, 4) - correlation_length(y - step, 4)) / (2 * step)
    assert found.flow_error == pytest.approx(error * slope, rel=1e-6)


def test_fields_without_long_range_order_have_no_length():
    """Spins in stripes of one lattice spacing: M = 0."""
    fields = np.full((10, 4, 4), 50.0)
    fields[:, ::2] = -50.0
    dual = DualIsing(4, BETA_CRITICAL)
    found = observables(dual, fields, np.zeros(10), fields, rng=np.random.default_rng(6))[3]
    assert math.isnan(found.flow)
    assert math.isnan(found.flow_error)


def test_energy_is_the_mean_over_the_spins_given_the_fields():
    field = np.random.default_rng(7).standard_normal((4, 4))
    spins = all_states().reshape(-1, N).astype(float)
    chances = np.exp(spins @ field.reshape(N) - np.logaddexp.reduce(spins @ field.reshape(N)))
    expected = chances @ energy_of_spins(all_states())
    assert energy_per_site(field[None])[0] == pytest.approx(expected, abs=1e-12)


def judged_gaussian(beta, symmetric):
    q = best_gaussian(DualIsing(4, beta), symmetric=symmetric)
    of_q = q.draw(20_000, np.random.default_rng(8))
    of_p = drawn_fields(q.dual, 20_000, seed=9)
    weights = [log_weights(q.dual, fields, q.log_density(fields)) for fields in (of_q, of_p)]
    found = observables(q.dual, of_q, weights[0], of_p, rng=np.random.default_rng(10))
    return collapse(flow_gap(*weights, q.dual.log_integral()), found[1])


@pytest.mark.parametrize("beta", [1.0, 0.6])
def test_a_flow_with_one_sign_of_the_magnetization_has_collapsed(beta):
    """⟨m²⟩ is right, and the gap small; only the forward KL shows it."""
    judged = judged_gaussian(beta, symmetric=False)
    assert judged.collapsed
    assert judged.why.startswith("The forward KL is 1" if beta == 1.0 else "The forward KL is 7")
    assert "more than 10 times the gap of 0." in judged.why


@pytest.mark.parametrize("beta", [1.0, 0.6])
def test_the_same_with_both_signs_has_not(beta):
    judged = judged_gaussian(beta, symmetric=True)
    assert not judged.collapsed
    assert judged.why.startswith("⟨m²⟩ is within 10 %")


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_flow_that_is_ordered_where_the_model_is_critical_has_collapsed(symmetric):
    """The best Gaussian at T_c has ⟨m²⟩ = 0.916, the model 0.761."""
    judged = judged_gaussian(BETA_CRITICAL, symmetric)
    assert judged.collapsed
    assert judged.why.startswith("⟨m²⟩ is 0.91")
    assert "off by more than 10 %" in judged.why


def gap_of(gap, forward, error=0.001):
    return FlowGap(gap, error, forward, error, 0, -gap, forward, 1, 0, 1, 0, 0)


def squared(flow, flow_error=0.001):
    return Observable("magnetization_squared", flow, flow_error, 0, 0, 0.5, 0.001, math.nan)


@pytest.mark.parametrize(
    ("flow", "gap", "forward", "collapsed"),
    [
        (0.5, 0.1, 0.2, False),
        (0.54, 0.1, 0.2, False),
        (0.46, 0.1, 0.2, False),
        (0.56, 0.1, 0.2, True),
        (0.44, 0.1, 0.2, True),
        (0.5, 0.1, 0.9, False),
        (0.5, 0.1, 1.1, True),
    ],
)
def test_a_tenth_of_m2_and_ten_gaps_are_the_limits(flow, gap, forward, collapsed):
    assert collapse(gap_of(gap, forward), squared(flow)).collapsed == collapsed


def test_noise_is_no_collapse():
    assert not collapse(gap_of(0.1, 0.2), squared(0.58, flow_error=0.02)).collapsed
    assert not collapse(gap_of(0.001, 0.02, error=0.001), squared(0.5)).collapsed
