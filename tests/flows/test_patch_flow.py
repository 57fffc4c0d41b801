"""The patch flow: against plain loops, autograd Jacobians, torch's own layers and itself."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import AffineTransform

from coarsegrain.flows.coupling_stack import CouplingStack, array_shapes, starting_arrays
from coarsegrain.flows.patch_architecture import PatchArchitecture, starting_weights
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.patches import layers_of_patches
from coarsegrain.flows.training.patches import PatchTrainer
from coarsegrain.storage.weights import read_weights, write_weights

DOUBLE = {"dtype": torch.float64, "device": torch.device("cpu")}


def random_flow(L, depth=None, *, couplings=10, seed=1, **options):
    """A flow as far from its start as training takes it: scales are not 0."""
    architecture = PatchArchitecture(L, couplings=couplings, depth=depth)
    weights = starting_weights(architecture, seed=seed)
    rng = np.random.default_rng(seed + 100)
    for name, array in weights.items():
        if name.endswith("scale"):
            array += rng.normal(0, 0.4, array.shape).astype(np.float32)
    return PatchFlow(architecture, weights, **options)


def random_stack(couplings=10, hidden=(10, 10, 10), seed=1):
    rng = np.random.default_rng(seed)
    arrays = starting_arrays(couplings, hidden, rng=rng)
    arrays["scale"] += rng.normal(0, 0.4, arrays["scale"].shape).astype(np.float32)
    return CouplingStack(arrays, **DOUBLE), arrays


def normal(*shape, seed=2):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def on_single_patches(flow, z):
    """x(z) by plain loops over scales and patches, site by site."""
    x, L = z.clone(), flow.L
    for layer in reversed(range(flow.architecture.layers)):
        scale, is_decimator = divmod(layer, 2)
        dilation, stride = 2**scale, 2 ** (scale + 1)
        offset = dilation if is_decimator else 0
        for i, j in itertools.product(range(0, L, stride), repeat=2):
            rows = [(i + offset) % L, (i + offset + dilation) % L]
            columns = [(j + offset) % L, (j + offset + dilation) % L]
            sites = list(itertools.product(rows, columns))
            patch = torch.stack([x[:, r, c] for r, c in sites], dim=1)
            changed, _ = flow._stacks[layer].generate(patch)
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
    stack, arrays = random_stack()
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


def test_even_couplings_keep_a_random_half_and_odd_ones_the_other():
    kept = starting_arrays(400, (2,), rng=np.random.default_rng(1))["kept"]
    assert (kept.sum(axis=1) == 2).all()
    np.testing.assert_array_equal(kept[1::2], 1 - kept[::2])
    halves, counts = np.unique(kept[::2], axis=0, return_counts=True)
    assert len(halves) == 6
    assert stats.chisquare(counts).pvalue > 1e-3


def test_weights_start_as_those_of_linear_layers_of_torch():
    """Uniform in ±1/√inputs, which is what ``torch.nn.Linear`` draws."""
    arrays = starting_arrays(100, (10, 6), rng=np.random.default_rng(1))
    for k, inputs in enumerate((4, 10, 6)):
        for kind in ("weight", "bias"):
            limit = 1 / np.sqrt(inputs)
            numbers = arrays[f"{kind}.{k}"].ravel()
            theirs = torch.nn.Linear(inputs, 1000).get_parameter(kind).detach().abs().max()
            assert 0.97 * limit < theirs.item() <= np.float32(limit)
            assert stats.kstest(numbers, "uniform", args=(-limit, 2 * limit)).pvalue > 1e-3


def test_a_new_flow_preserves_volume_and_its_scales_have_gradients():
    architecture = PatchArchitecture(4)
    flow = PatchFlow(architecture, starting_weights(architecture, seed=1))
    x, log_det = flow.generate(normal(5, 4, 4))
    assert (log_det == 0).all()
    (x**2).sum().backward()
    scales = [each for each in flow.parameters() if each.shape == (10, 4)]
    assert len(scales) == 4
    assert all((each.grad != 0).any() for each in scales)


def test_flow_of_the_authors_at_side_16_has_50560_parameters():
    architecture = PatchArchitecture(16)
    flow = PatchFlow(architecture, starting_weights(architecture, seed=1))
    assert architecture.layers == 8
    assert sum(each.numel() for each in flow.parameters()) == 50_560
    shallow = PatchArchitecture(16, depth=2)
    flow = PatchFlow(shallow, starting_weights(shallow, seed=1))
    assert sum(each.numel() for each in flow.parameters()) == 50_560 / 2


@pytest.mark.parametrize("L", [4, 8, 16, 32])
def test_patches_of_a_layer_partition_the_sites_of_its_scale(L):
    scales = L.bit_length() - 1
    layers = layers_of_patches(L, scales)
    assert len(layers) == 2 * scales
    for k, patches in enumerate(layers):
        spacing = 2 ** (k // 2)
        lines = np.arange(0, L, spacing)
        of_the_scale = (lines[:, None] * L + lines).ravel()
        assert patches.shape == (len(of_the_scale) // 4, 4)
        np.testing.assert_array_equal(np.sort(patches, axis=None), of_the_scale)
    assert len(layers[0]) * 4 == L * L


@pytest.mark.parametrize("L", [4, 8])
def test_one_site_of_each_decimator_patch_goes_on_to_the_next_scale(L):
    layers = layers_of_patches(L, L.bit_length() - 1)
    for decimator, after in zip(layers[1:-1:2], layers[2::2]):
        assert set(decimator[:, 3]) == set(after.ravel())
        assert not set(decimator[:, :3].ravel()) & set(after.ravel())


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


def test_density_is_exactly_even_and_that_of_q0_is_not():
    flow, x = random_flow(4), normal(300, 4, 4)
    np.testing.assert_array_equal(flow.log_density(x.numpy()), flow.log_density(-x.numpy()))
    with torch.no_grad():
        assert (flow._log_q0(x) - flow._log_q0(-x)).abs().max() > 0.1


@pytest.mark.parametrize("L", [4, 8])
def test_log_density_of_drawn_fields_is_the_log_q_drawn_with_them(L):
    flow = random_flow(L)
    drawn = flow.draw(300, seed=3)
    assert drawn.fields.dtype == drawn.log_q.dtype == np.float64
    np.testing.assert_allclose(flow.log_density(drawn.fields), drawn.log_q, rtol=0, atol=1e-10)
    x, log_q = flow.draw_with_gradient(50, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(flow.log_density_of(x), log_q, rtol=0, atol=1e-10)


def test_density_is_the_mean_of_those_of_normal_latents_of_the_fields_and_their_reverse():
    flow, x = random_flow(4), normal(20, 4, 4)
    with torch.no_grad():
        densities = []
        for each in (x, -x):
            z, log_det = flow.inverse(each)
            normal_latents = torch.distributions.Normal(0, 1).log_prob(z).sum(dim=(1, 2))
            densities.append((normal_latents + log_det).exp())
        expected = ((densities[0] + densities[1]) / 2).log()
    np.testing.assert_allclose(flow.log_density(x.numpy()), expected, rtol=0, atol=1e-10)


def test_mean_of_q0_over_q_is_one_on_draws_of_q():
    """∫ q (q₀/q) = 1. The ratio is at most 2, and on draws of q₀ its mean is above 1."""
    flow = random_flow(4)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        of_q0, _ = flow.generate(normal(3_000, 4, 4))
        of_q, _ = flow.draw_with_gradient(3_000, generator=generator)
        drawn = torch.tensor(flow.draw(3_000, seed=2).fields)
        for x, is_one in ((of_q, True), (drawn, True), (of_q0, False)):
            ratio = (flow._log_q0(x) - flow.log_density_of(x)).exp().numpy()
            assert ratio.max() <= 2 + 1e-12
            assert (abs(ratio.mean() - 1) < 4 * stats.sem(ratio)) == is_one


def test_draws_are_set_by_the_seed():
    flow = random_flow(4)
    first, same, other = (flow.draw(10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.fields, same.fields)
    np.testing.assert_array_equal(first.log_q, same.log_q)
    assert (first.fields != other.fields).all()
    x, again = (
        flow.draw_with_gradient(10, generator=torch.Generator().manual_seed(5))[0] for _ in "ab"
    )
    assert (x == again).all()


def test_blocks_bound_the_memory_and_change_no_density(monkeypatch):
    flow = random_flow(4)
    fields = flow.draw(50, seed=1).fields
    whole = flow.log_density(fields)
    lengths = []

    def noted_inverse(x):
        lengths.append(len(x))
        return PatchFlow.inverse(flow, x)

    monkeypatch.setattr("coarsegrain.flows.patch_flow.SITES", 7 * 16)
    monkeypatch.setattr(flow, "inverse", noted_inverse)
    np.testing.assert_allclose(flow.log_density(fields), whole, rtol=0, atol=1e-12)
    drawn = flow.draw(50, seed=1)
    assert max(lengths) == 7
    np.testing.assert_allclose(flow.log_density(drawn.fields), drawn.log_q, rtol=0, atol=1e-10)


def test_starting_weights_are_set_by_the_seed():
    first, same, other = (starting_weights(PatchArchitecture(4), seed=seed) for seed in (1, 1, 2))
    assert all((first[name] == same[name]).all() for name in first)
    assert all((first[name] != other[name]).any() for name in first if "scale" not in name)


def test_flow_read_from_a_file_is_the_flow_written(tmp_path):
    flow = random_flow(4, dtype=torch.float32)
    write_weights(tmp_path / "flow.safetensors", flow.weights(), {})
    arrays, _ = read_weights(tmp_path / "flow.safetensors")
    found = PatchFlow(flow.architecture, arrays, dtype=torch.float32)
    np.testing.assert_array_equal(found.draw(20, seed=1).fields, flow.draw(20, seed=1).fields)


def test_float32_computes_in_float32_and_differs_from_float64_by_rounding():
    single, double = random_flow(8, dtype=torch.float32), random_flow(8)
    x, log_q = single.draw_with_gradient(5, generator=torch.Generator().manual_seed(1))
    assert x.dtype == log_q.dtype == torch.float32
    fields = double.draw(100, seed=1).fields
    difference = np.abs(single.log_density(fields) - double.log_density(fields)).max()
    assert 0 < difference < 1e-3


def test_loss_is_zero_for_the_flows_own_density_and_training_lowers_it_towards_another():
    flow = random_flow(4, couplings=2)
    own = PatchTrainer(flow, lambda x: -flow.log_density_of(x), seed=1, weight_decay=0)
    assert np.abs(own.step(0, 32, 0.0)).max() < 1e-10

    def narrow(x):
        return 2 * (x**2).sum(dim=(1, 2))

    minus_log_integral = -8 * np.log(np.pi / 2)
    trainer = PatchTrainer(flow, narrow, seed=1, weight_decay=0)
    losses = [trainer.step(k, 64, 1e-2).mean() for k in range(60)]
    assert minus_log_integral < np.mean(losses[-10:]) < np.mean(losses[:10]) - 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"L": 6}, "L is 6; it must be a power of 2, at least 4"),
        ({"L": 2}, "L is 2; it must be a power of 2, at least 4"),
        ({"L": -8}, "L is -8; it must be a power of 2"),
        ({"L": 4, "couplings": 0}, "couplings is 0; it must be at least 1"),
        ({"L": 4, "hidden": ()}, r"hidden is \(\); it must be one or more layers"),
        ({"L": 4, "hidden": (3, 0)}, r"hidden is \(3, 0\); it must be one or more layers"),
        ({"L": 8, "depth": 4}, "depth is 4; at L = 8 it must be from 1 to 3"),
        ({"L": 8, "depth": 0}, "depth is 0; at L = 8 it must be from 1 to 3"),
    ],
)
def test_architecture_out_of_range_is_refused_in_a_sentence(arguments, told):
    with pytest.raises(ValueError, match=told):
        PatchArchitecture(**arguments)


def test_weights_of_another_architecture_are_refused_by_name():
    weights = starting_weights(PatchArchitecture(4), seed=1)
    with pytest.raises(ValueError, match=r"4\.bias\.0 is missing"):
        PatchFlow(PatchArchitecture(8), weights)
    with pytest.raises(ValueError, match=r"2\.bias\.0 is not one of its arrays"):
        PatchFlow(PatchArchitecture(4, depth=1), weights)
    with pytest.raises(ValueError, match=r"0\.kept has the shape \(10, 4\), not \(6, 4\)"):
        PatchFlow(PatchArchitecture(4, couplings=6), weights)
    assert set(array_shapes(10, (10, 10, 10))) == {name[2:] for name in weights}


def test_fields_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"fields of shape \(2, 4, 4\) were given to a flow of 8"):
        random_flow(8).log_density(np.zeros((2, 4, 4)))
