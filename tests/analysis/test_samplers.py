"""What samplers cost, for sequences whose answer is exact; and that all sample the Ising model."""

import math

import numpy as np
import pytest

from coarsegrain.analysis.sampler_runs import (
    from_fresh_samples,
    latent_hmc,
    lattice_chains,
    physical_hmc,
)
from coarsegrain.analysis.samplers import of_chains, of_independent_samples, of_weighted_samples
from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.observables import energy_per_site, magnetization_squared
from rg.exact_states import all_states

#: Above T_c: two Gaussians of about the right width are then near enough to be proposed.
BETA = 0.2


def exact():
    weights = np.exp(-BETA * 16 * energy_per_site(all_states()))
    return float(weights @ magnetization_squared(all_states()) / weights.sum())


@pytest.fixture(scope="module")
def runs():
    dual, architecture = DualIsing(4, BETA), Architecture(4, couplings=1, hidden=4, bins=2)
    flow = SublatticeFlow(architecture, dual.spectrum, start(architecture, dual.spectrum, seed=1))
    views = architecture.views(flow.parameters)
    # fields have the covariance K + K⟨s sᵀ⟩K, about K + K², and more of it at wave vector 0
    views["spectrum"][architecture.orbits] = np.log1p(dual.spectrum) / 2
    views["modes"][:] = 1.0, 0.0
    flow.refresh()
    cold = np.broadcast_to(dual.multiplied(np.ones((1, 4, 4)), 1), (96, 4, 4))
    sizes = {"trajectories": 200, "leapfrogs": 5}
    return [
        latent_hmc(flow, cold, **sizes, seed=1),
        physical_hmc(dual, cold, **sizes, seed=2),
        *from_fresh_samples(dual, flow.draw(20_000, seed=3), chains=100, seed=4),
        lattice_chains(dual, chains=96, steps=200, seed=5),
    ]


@pytest.mark.parametrize("which", range(5))
def test_every_sampler_finds_the_exact_value_at_l_4(runs, which):
    found = runs[which]
    assert 0 < found.m2_error < 0.02
    assert abs(found.m2 - exact()) < 4 * found.m2_error


def test_errors_of_chains_are_those_that_their_autocorrelation_times_predict(runs):
    for each in runs:
        if each.steps > 1:
            lower = math.sqrt(2 * each.tau_int_half_plus_sum / (each.chains * each.steps))
            assert 0.05 * lower < each.m2_error < 0.5 * lower  # σ of m² is between


def test_an_independent_sequence_costs_an_evaluation_for_each_step():
    observed = np.random.default_rng(1).standard_normal((400, 100))
    found = of_chains("a", observed, acceptance=1.0, evaluations=7)
    assert abs(found.tau_int_half_plus_sum - 0.5) < 4 * found.tau_int_error
    assert found.evaluations_per_independent == 14 * found.tau_int_half_plus_sum


def test_equal_weights_are_those_of_independent_samples():
    observed = np.random.default_rng(2).standard_normal(5000)
    one = of_weighted_samples("a", observed, np.full(5000, -1000.0))
    other = of_independent_samples("b", observed, evaluations=1)
    assert one.m2 == pytest.approx(other.m2)
    assert one.m2_error == pytest.approx(other.m2_error, rel=1e-3)
    assert one.evaluations_per_independent == pytest.approx(other.evaluations_per_independent)


def test_weights_bring_samples_of_a_normal_density_to_another():
    """From N(0, 1) to N(½, 1): w = e^(x/2), and ⟨w²⟩/⟨w⟩² = e^(1/4)."""
    x = np.random.default_rng(3).standard_normal(200_000)
    found = of_weighted_samples("a", x, x / 2)
    assert abs(found.m2 - 0.5) < 4 * found.m2_error
    assert found.evaluations_per_independent == pytest.approx(math.exp(0.25), rel=0.02)
