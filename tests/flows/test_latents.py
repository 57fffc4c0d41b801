"""Latent variables of fields: what a flow makes its own fields of, and normal numbers."""

import numpy as np
import pytest
import torch
from scipy import stats

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.blocks import of_blocks
from coarsegrain.flows.flow import FRESH
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.patch_architecture import PatchArchitecture
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.samples import normal_numbers
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.simd import LANES
from flows.plain_patch_flow import PlainPatchFlow, bent_weights

L, SAMPLES = 4, 4096


def sublattice_flow(mu=2.0, log_sigma=0.0):
    """A flow whose couplings, matrix and mean are not at their start."""
    architecture = Architecture(L, couplings=2, hidden=4, bins=2)
    rng = np.random.default_rng(1)
    spectrum = DualIsing(L, 0.44).spectrum
    parameters = start(architecture, spectrum, seed=1)
    parameters += 0.1 * rng.standard_normal(parameters.shape)
    architecture.views(parameters)["modes"][:] = mu, log_sigma
    return SublatticeFlow(architecture, spectrum, parameters)


def patch_flow():
    architecture = PatchArchitecture(L, couplings=4, hidden=(6, 6))
    return PatchFlow(architecture, bent_weights(architecture))


FLOWS = {
    "modes apart": sublattice_flow,
    "modes that overlap": lambda: sublattice_flow(mu=0.7, log_sigma=0.2),
    "patches": patch_flow,
}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_latents_of_a_flows_own_fields_are_independent_and_normal(flow):
    flow = flow()
    z = flow.latents(flow.draw(SAMPLES, seed=3).fields, seed=5)
    assert z.shape == (SAMPLES, L, L)
    assert z.dtype == np.float64
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    along_the_mean = z.sum(axis=(1, 2)) / L
    assert stats.kstest(along_the_mean, "norm").pvalue > 1e-3
    covariance = np.cov(z.reshape(SAMPLES, -1).T)
    np.testing.assert_allclose(covariance, np.eye(L * L), atol=5.5 * np.sqrt(2 / SAMPLES))


def test_latents_are_the_numbers_that_the_flow_by_sublattices_made_its_fields_of():
    flow = sublattice_flow(mu=6.0)  # the modes do not overlap
    drawn = flow.draw(SAMPLES // 2, seed=3)
    numbers = normal_numbers(SAMPLES // 2 // LANES, L, stream=FRESH, seed=3)
    flow._transform(0, numbers)  # each to its scale
    found = flow.latents(drawn.fields, seed=5)
    np.testing.assert_allclose(found, of_blocks(numbers, flow.L), rtol=0, atol=1e-3)


def test_latents_of_patches_are_an_inverse_of_the_field_or_of_its_reverse():
    flow = patch_flow()
    fields = flow.draw(200, seed=3).fields
    plain = PlainPatchFlow(flow.architecture, flow.weights())
    x = plain.generate(torch.from_numpy(flow.latents(fields, seed=5)))[0].detach().numpy()
    signs = np.sign((x * fields).sum(axis=(1, 2)))
    np.testing.assert_allclose(x, signs[:, None, None] * fields, atol=1e-4)
    assert {-1, 1} == set(signs)


@pytest.mark.parametrize("flow", [sublattice_flow, patch_flow])
def test_latents_are_set_by_the_seed(flow):
    flow = flow()
    fields = flow.draw(100, seed=1).fields / 10  # near 0 either sign is likely
    first, same, other = (flow.latents(fields, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_more_fields_than_are_computed_at_once_have_the_latents_of_each(monkeypatch):
    flow = sublattice_flow(mu=6.0)
    fields = flow.draw(100, seed=1).fields
    whole = flow.latents(fields, seed=1)
    monkeypatch.setattr("coarsegrain.flows.blocks.AT_ONCE", 2 * LANES)
    np.testing.assert_array_equal(flow.latents(fields, seed=1), whole)
