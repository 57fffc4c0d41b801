"""What a flow by sublattices passes on from scale to scale, and the density that it gives it."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.coarse_variables import PASSES, SITES
from coarsegrain.flows.some_latents import log_density_of_some
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing
from flows.plain_sublattice_flow import PlainFlow, spline

BETA, SAMPLES = 0.44, 4096


def random_flow(L, passes=SITES):
    """A flow away from its start: every coupling bends, the modes overlap."""
    architecture = Architecture(L, couplings=2, hidden=6, bins=3, passes=passes)
    parameters = np.random.default_rng(2).normal(0, 0.15, architecture.size)
    architecture.views(parameters)["modes"][:] = 1.2, -0.3
    return SublatticeFlow(architecture, DualIsing(L, BETA).spectrum, parameters)


@pytest.fixture(
    scope="module", params=[(L, passes) for L in (4, 8) for passes in PASSES], ids=str,
)  # fmt: skip
def flow(request):
    return random_flow(*request.param)


@pytest.fixture(scope="module")
def passed(flow):
    """Of the flow's own samples, so that the fields of a scale have the density that is told."""
    return flow.passed_on(flow.draw(SAMPLES, seed=1).fields, seed=0)


def log_density_of_all(flow, latents):
    """ln q of all latent variables, by a flow without couplings and with the matrix √K."""
    plain = SublatticeFlow(flow.architecture, flow.spectrum, 0 * flow.parameters)
    ours, theirs = (flow.architecture.views(each.parameters) for each in (flow, plain))
    theirs["modes"][:], theirs["mean"][:] = ours["modes"], ours["mean"]
    plain.refresh()
    return plain.log_density(plain.fields_of(latents)) + np.log(flow.spectrum).sum() / 2


def test_there_is_a_lattice_for_every_scale_down_to_two_by_two_sites(flow, passed):
    L = flow.L
    assert [each.scale for each in passed] == list(range(1, L.bit_length() - 1))
    for each in passed:
        assert each.fields.shape == (SAMPLES, L >> each.scale, L >> each.scale)
        assert each.log_q.shape == (SAMPLES,)


@pytest.mark.parametrize("m", [1, 4])
def test_the_density_of_some_latents_is_that_of_all_integrated_over_the_others(m):
    flow = random_flow(4)
    views = flow.architecture.views(flow.parameters.astype(np.float32))
    some = np.random.default_rng(3).normal(0.5, 1.5, (3, m))
    found = log_density_of_some(some, 16, views["modes"], views["mean"])
    # of the others, all but their mean is normal: it is left to integrate over
    mean = np.linspace(-2.5, 2.5, 8001)
    others = np.broadcast_to(mean[:, None], (8001, 16 - m))
    for w, log_q in zip(some, found):
        whole = np.concatenate([np.broadcast_to(w, (8001, m)), others], axis=1)
        joint = np.exp(log_density_of_all(flow, whole)) * np.sqrt(16 - m)
        normal = (15 - m) / 2 * np.log(2 * np.pi)
        assert log_q == pytest.approx(np.log(integrate.simpson(joint, x=mean)) + normal, abs=1e-4)


def test_the_density_of_some_latents_of_two_normal_modes_is_theirs():
    """Without a spline, u = Σw/√m has the modes ±cμ of the variance c²σ² + v, c² = m/N."""
    some = np.random.default_rng(3).normal(0, 3, (50, 4))
    found = log_density_of_some(some, 64, np.array([5.0, -0.5]), np.zeros(13))
    c, u = np.sqrt(4 / 64), some.sum(axis=1) / 2
    modes = stats.norm.logpdf(u[:, None], [5 * c, -5 * c], np.sqrt(c**2 * np.exp(-1) + 1 - c**2))
    normal = -((some**2).sum(axis=1) - u**2) / 2 - 1.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, np.logaddexp(*modes.T) - np.log(2) + normal, atol=1e-9)


def test_the_quadrature_does_not_depend_on_its_nodes(monkeypatch):
    rng = np.random.default_rng(3)
    some, mean = rng.normal(0, 2, (50, 4)), rng.normal(0, 0.8, 13)
    found = log_density_of_some(some, 16, np.array([2.0, -0.5]), mean)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    monkeypatch.setattr("coarsegrain.flows.some_latents._NODES", nodes)
    monkeypatch.setattr("coarsegrain.flows.some_latents._WEIGHTS", weights)
    again = log_density_of_some(some, 16, np.array([2.0, -0.5]), mean)
    np.testing.assert_allclose(found, again, rtol=0, atol=1e-7)


def test_densities_are_those_of_the_latents_by_the_jacobian_of_the_coarser_couplings(flow, passed):
    """y of a scale, of its own and all coarser latent variables, differentiated by autograd."""
    plain = PlainFlow(flow.architecture, flow.spectrum)
    parameters = torch.from_numpy(flow.parameters.astype(np.float32).astype(np.float64))
    of, L = flow.architecture.views(parameters), flow.L
    fields = flow.draw(2, seed=1).fields
    by_scale = flow.latents_by_scale(fields).reshape(2, -1)
    of_all = log_density_of_all(flow, flow.latents_with_modes(fields))
    for scale, passed_on, log_q in passed:
        chosen = torch.arange(L * L).reshape(L, L)[:: 2**scale, :: 2**scale].reshape(-1)

        def coarse(some, chosen=chosen, step=2**scale):
            w = torch.zeros(1, L * L, dtype=torch.float64).index_copy(1, chosen, some[None])
            for k, (changed, *_) in enumerate(plain._layers):
                if not torch.isin(changed, chosen).all():
                    continue
                for each in flow.architecture.transforms[k] if k else ():
                    assert each >= step
                    w = plain._transformed(w, each, back=True)
                before, after, numbers = plain._net(of, k, w)
                y, _ = spline(w[:, changed] + before, numbers)
                w = w.index_copy(1, changed, y + after)
            return w[0, chosen]

        some = by_scale[:, chosen.numpy()]
        if flow.architecture.passes != SITES:  # what is left out is normal
            rest = (by_scale**2).sum(axis=1) - (some**2).sum(axis=1)
            of_some = of_all + (rest + (L * L - len(chosen)) * np.log(2 * np.pi)) / 2
        else:
            of_some = log_density_of_some(some, L * L, of["modes"], of["mean"])
        for sample in range(2):
            latents = torch.from_numpy(some[sample])
            jacobian = torch.autograd.functional.jacobian(coarse, latents, vectorize=True)
            _, log_det = torch.linalg.slogdet(jacobian)
            found = passed_on[sample].reshape(-1)
            np.testing.assert_allclose(found, coarse(latents), atol=1e-4)
            assert abs(log_q[sample] - (of_some[sample] - float(log_det))) < 3e-4


def test_the_densities_integrate_to_one(passed):
    """By samples of them: ⟨r/q⟩ = 1 for any density r; normal ones, narrower than the fields."""
    for _, fields, log_q in passed:
        y = fields.reshape(SAMPLES, -1)
        covariance = np.cov(y.T).reshape(y.shape[1], -1) / 2
        log_r = stats.multivariate_normal(np.zeros(y.shape[1]), covariance).logpdf(y)
        ratio = np.exp(log_r - log_q)
        error = ratio.std() / np.sqrt(SAMPLES)
        assert abs(ratio.mean() - 1) < 4 * error
        assert error < 0.15


@pytest.mark.parametrize("passes", PASSES)
def test_the_mean_that_is_passed_on_is_distributed_as_its_density_tells(passes):
    """Where nothing but the mean is not normal: no couplings and no spline."""
    flow = random_flow(4, passes)
    for name, view in flow.architecture.views(flow.parameters).items():
        view[:] *= name == "modes"
    flow.refresh()
    (passed,) = flow.passed_on(flow.draw(SAMPLES, seed=1).fields, seed=0)
    mean = passed.fields.sum(axis=(1, 2)) / 2
    c = 0.5 if passes == SITES else 1
    spread = np.sqrt(c**2 * np.exp(-0.6) + 1 - c**2)
    up, down = (stats.norm(sign * 1.2 * c, spread) for sign in (1, -1))
    assert stats.kstest(mean, lambda u: (up.cdf(u) + down.cdf(u)) / 2).pvalue > 0.01
    normal = -((passed.fields**2).sum(axis=(1, 2)) - mean**2) / 2 - 1.5 * np.log(2 * np.pi)
    exact = np.logaddexp(up.logpdf(mean), down.logpdf(mean)) - np.log(2) + normal
    np.testing.assert_allclose(passed.log_q, exact, rtol=0, atol=1e-4)


def test_the_map_is_odd_and_its_density_even_to_the_bit(flow):
    fields = flow.draw(64, seed=5).fields
    for up, down in zip(flow.passed_on(fields, seed=0), flow.passed_on(-fields, seed=1)):
        np.testing.assert_array_equal(up.fields, -down.fields)
        np.testing.assert_allclose(up.log_q, down.log_q, rtol=0, atol=1e-12)
