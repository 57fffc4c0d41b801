"""The plain flow by patches, oracle of the kernels: by loops, torch's own layers and Jacobians."""

import itertools

import numpy as np
import pytest
import torch
from torch.distributions import AffineTransform

from coarsegrain.flows.coupling_stack import starting_arrays
from coarsegrain.flows.patch_architecture import PatchArchitecture
from flows.plain_patch_flow import CouplingStack, PlainPatchFlow, bent_weights


def random_flow(L, depth=None):
    architecture = PatchArchitecture(L, depth=depth)
    return PlainPatchFlow(architecture, bent_weights(architecture))


def normal(*shape, seed=2):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def on_single_patches(flow, z):
    """x(z) by plain loops over scales and patches, site by site."""
    x, L = z.clone(), flow.architecture.L
    for layer in reversed(range(flow.architecture.layers)):
        scale, is_decimator = divmod(layer, 2)
        dilation, stride = 2**scale, 2 ** (scale + 1)
        offset = dilation if is_decimator else 0
        for i, j in itertools.product(range(0, L, stride), repeat=2):
            rows = [(i + offset) % L, (i + offset + dilation) % L]
            columns = [(j + offset) % L, (j + offset + dilation) % L]
            sites = list(itertools.product(rows, columns))
            patch = torch.stack([x[:, r, c] for r, c in sites], dim=1)
            changed, _ = flow.stacks[layer].generate(patch)
            for k, (r, c) in enumerate(sites):
                x[:, r, c] = changed[:, k]
    return x


@pytest.mark.parametrize(("L", "depth"), [(4, None), (4, 1), (8, None), (8, 2)])
def test_fields_are_those_of_bijectors_applied_patch_by_patch(L, depth):
    flow, z = random_flow(L, depth), normal(3, L, L)
    with torch.no_grad():
        difference = flow.generate(z)[0] - on_single_patches(flow, z)
    assert difference.abs().max() < 1e-12


@pytest.mark.parametrize(("L", "depth"), [(4, None), (8, None), (8, 1)])
def test_inverse_undoes_generate_to_ten_digits(L, depth):
    flow, z = random_flow(L, depth), 2 * normal(20, L, L)
    with torch.no_grad():
        x, log_det = flow.generate(z)
        found, log_det_back = flow.inverse(x)
    assert (found - z).abs().max() < 1e-10
    assert (log_det + log_det_back).abs().max() < 1e-10


def test_every_site_is_changed_whatever_the_depth():
    for depth in (1, 2, 3):
        flow, z = random_flow(8, depth), normal(5, 8, 8)
        with torch.no_grad():
            assert (flow.generate(z)[0] != z).all()


@pytest.mark.parametrize("L", [4, 8])
@pytest.mark.parametrize("way", ["generate", "inverse"])
def test_log_det_is_that_of_the_jacobian_by_autograd(L, way):
    flow, given = random_flow(L), normal(1, L, L)
    through = getattr(flow, way)
    jacobian = torch.autograd.functional.jacobian(lambda each: through(each)[0], given)
    sign, log_det = torch.linalg.slogdet(jacobian.reshape(L * L, L * L))
    assert sign == 1
    assert abs(log_det) > 0.1
    assert abs(log_det - through(given)[1]) < 1e-10


def test_couplings_are_affine_transforms_with_scales_and_shifts_by_mlps():
    arrays = starting_arrays(10, (10, 10, 10), rng=np.random.default_rng(1))
    arrays["scale"] += np.random.default_rng(2).normal(0, 0.4, (10, 4)).astype(np.float32)
    stack = CouplingStack(
        {name: torch.tensor(array, dtype=torch.float64) for name, array in arrays.items()}
    )
    y = normal(50, 4)
    for c, coupling in enumerate(stack.couplings()):
        layers = ([], [])
        for k, net in itertools.product(range(4), range(2)):
            weight = torch.tensor(arrays[f"weight.{k}"][c, net], dtype=torch.float64)
            linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
            linear.weight.data = weight.T
            linear.bias.data = torch.tensor(arrays[f"bias.{k}"][c, net, 0], dtype=torch.float64)
            layers[net].extend([linear, torch.nn.ELU()] if k < 3 else [linear])
        net_s, net_t = (torch.nn.Sequential(*each) for each in layers)
        kept = torch.tensor(arrays["kept"][c], dtype=torch.bool)
        seen = torch.where(kept, y, 0)
        a = torch.tensor(arrays["scale"][c], dtype=torch.float64)
        affine = AffineTransform(net_t(seen), (a * torch.tanh(net_s(seen))).exp())
        found, log_scale = coupling.generate(y)
        torch.testing.assert_close(found, torch.where(kept, y, affine(y)), rtol=1e-12, atol=1e-12)
        expected = torch.where(kept, 0, affine.log_abs_det_jacobian(y, affine(y)))
        torch.testing.assert_close(log_scale, expected, rtol=1e-12, atol=1e-12)
        y = found
    torch.testing.assert_close(stack.generate(normal(50, 4))[0], y, rtol=0, atol=0)


def test_latents_of_the_last_scale_reach_all_fields_and_those_of_depth_1_a_block():
    def reached(flow, row, column):
        z = normal(1, 8, 8)
        other = z.clone()
        other[0, row, column] += 0.5
        with torch.no_grad():
            return (flow.generate(z)[0] != flow.generate(other)[0])[0]

    assert reached(random_flow(8), 0, 0).all()
    block = torch.zeros(8, 8, dtype=torch.bool)
    block[2:6, 4:8] = True  # patches of the disentangler that join the decimator's at (3, 5)
    assert (reached(random_flow(8, depth=1), 3, 5) == block).all()


def test_fields_are_shifted_with_their_latents_by_the_stride_of_the_last_scale():
    flow, z = random_flow(8, depth=2), normal(2, 8, 8)
    with torch.no_grad():
        shifted = flow.generate(z.roll((4, 4), dims=(1, 2)))[0]
        x = flow.generate(z)[0]
        torch.testing.assert_close(shifted, x.roll((4, 4), dims=(1, 2)), rtol=0, atol=1e-13)
        assert (flow.generate(z.roll(2, dims=1))[0] != x.roll(2, dims=1)).any()
