"""The target's energy by a flow's latent variables: values, gradient, and what HMC makes of it."""

import numpy as np
import pytest

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.hmc import Point, trajectory
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.observables import energy_per_site
from rg.exact_states import all_states

BETA = 0.44


def random_flow(L):
    """A flow away from its start: nothing in it is the identity."""
    architecture = Architecture(L, couplings=2, hidden=6, bins=3)
    spectrum = DualIsing(L, BETA).spectrum
    parameters = start(architecture, spectrum, seed=1)
    parameters += np.random.default_rng(2).normal(0, 0.15, parameters.shape)
    return SublatticeFlow(architecture, spectrum, parameters)


@pytest.fixture(scope="module", params=[4, 8])
def flow(request):
    return random_flow(request.param)


@pytest.fixture(scope="module")
def drawn(flow):
    return flow.draw(48, seed=3)


def test_latents_and_fields_are_inverse_to_each_other(flow, drawn):
    latents = flow.latents_with_modes(drawn.fields)
    assert latents.shape == (48, flow.L**2)
    assert np.abs(flow.fields_of(latents) - drawn.fields).max() < 1e-4


def test_values_are_the_energy_less_the_logarithm_of_the_jacobian(flow, drawn):
    """ln |det ∂x/∂w| by the derivatives of x(w), from finite differences."""
    w, step = flow.latents_with_modes(drawn.fields)[0], 1e-2
    moves = step * np.eye(len(w))
    ahead, back = (flow.fields_of(w + sign * moves).reshape(len(w), -1) for sign in (1, -1))
    _, log_det = np.linalg.slogdet((ahead - back) / (2 * step))
    energy = DualIsing(flow.L, BETA).energy(flow.fields_of(w[None]))
    value, _ = flow.latent_energy(w[None])
    assert value[0] == pytest.approx(energy[0] - log_det, abs=0.02)


def test_differences_are_those_of_log_weights_and_the_latents_density(flow, drawn):
    """−U(w) − ln q(w) = ln p(x)/q(x) with ln q(w), which only the modes' part of a flow knows."""
    plain = SublatticeFlow(flow.architecture, flow.spectrum, flow.parameters * 0)
    w = flow.latents_with_modes(drawn.fields)
    # a flow without couplings and with the matrix √K: its ln q(x) is ln q(w) − ½ ln det K
    views = flow.architecture.views(plain.parameters)
    ours = flow.architecture.views(flow.parameters)
    views["modes"][:], views["mean"][:] = ours["modes"], ours["mean"]
    plain.refresh()
    dual = DualIsing(flow.L, BETA)
    log_q_of_w = plain.log_density(plain.fields_of(w)) + dual.log_det() / 2
    value, _ = flow.latent_energy(w)
    weights = -dual.energy(drawn.fields) - drawn.log_q
    assert np.abs(-value - log_q_of_w - weights).max() < 2e-3


def test_the_gradient_is_that_of_finite_differences(flow, drawn):
    """Along random directions; kinks at the ends of splines' bins leave a few outliers."""
    w = flow.latents_with_modes(drawn.fields)
    rng = np.random.default_rng(4)
    directions = rng.standard_normal(w.shape)
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    step = 3e-3
    ahead, back = (flow.latent_energy(w + sign * step * directions)[0] for sign in (1, -1))
    slope = (flow.latent_energy(w)[1] * directions).sum(axis=1)
    off = np.abs((ahead - back) / (2 * step) - slope)
    assert np.abs(slope).mean() > 0.3
    assert np.quantile(off, 0.8) < 0.02


def test_one_sample_is_the_same_alone_and_among_others(flow, drawn):
    w = flow.latents_with_modes(drawn.fields)
    all_of_them, alone = flow.latent_energy(w), flow.latent_energy(w[40:41])
    assert alone[0][0] == all_of_them[0][40]
    assert (alone[1][0] == all_of_them[1][40]).all()


def test_trajectories_in_latent_space_fulfil_creutz_identity():
    """⟨exp(−ΔH)⟩ = 1 from exact samples: all signs and the Jacobian are right."""
    flow, dual, rng = random_flow(4), DualIsing(4, BETA), np.random.default_rng(5)
    weights = np.exp(-BETA * 16 * energy_per_site(all_states()))
    chosen = all_states()[rng.choice(len(weights), 4000, p=weights / weights.sum())]
    w = flow.latents_with_modes(dual.draw_fields(chosen, rng))
    moved = trajectory(flow.latent_energy, Point(w, *flow.latent_energy(w)), 0.25, 4, rng=rng)
    factor = np.exp(-moved.rise)
    assert moved.rise.std() > 0.1
    assert abs(factor.mean() - 1) < 4 * factor.std() / np.sqrt(len(w))
