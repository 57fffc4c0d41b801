"""The flow by patches: against the plain implementation, and what its architecture promises."""

import numpy as np
import pytest
import torch
from scipy import stats

from coarsegrain.flows.blocks import AT_ONCE, of_blocks
from coarsegrain.flows.coupling_stack import array_shapes, starting_arrays
from coarsegrain.flows.dual_energy import dual_energy
from coarsegrain.flows.flow import TRAINING
from coarsegrain.flows.patch_architecture import PatchArchitecture, starting_weights
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.flows.patch_storage import write_patch_flow
from coarsegrain.flows.patches import layers_of_patches
from coarsegrain.flows.samples import normal_numbers
from coarsegrain.flows.storage import read_flow
from coarsegrain.flows.training.patches import PatchTrainer
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from coarsegrain.simd import LANES
from coarsegrain.training.plain_adam import adam_step
from flows import plain_patch_flow as plain
from flows.plain_patch_flow import PlainPatchFlow, bent_weights

SAMPLES = 64
NATS = 1e-4
OF_ITS_NORM = 1e-5
SEED, NUMBER = 7, 3


class Pair:
    """Both flows, with the same weights."""

    def __init__(self, L, **numbers):
        self.architecture = PatchArchitecture(L, **numbers)
        self.target = DualIsing(L, BETA_CRITICAL)
        weights = bent_weights(self.architecture)
        self.kernels = PatchFlow(self.architecture, weights)
        self.plain = PlainPatchFlow(self.architecture, weights)

    def exact(self, *, path, step=NUMBER):
        """The loss of a step, and derivatives of its mean by name."""
        z = normal_numbers(SAMPLES // LANES, self.kernels.L, stream=TRAINING, step=step, seed=SEED)
        energy = plain.dual_energy(self.target.spectrum)
        z = torch.from_numpy(of_blocks(z, self.kernels.L))
        loss = self.plain.loss(z, energy, path=path)
        parameters = self.plain.parameters()
        found = torch.autograd.grad(loss.mean(), list(parameters.values()))
        return loss.detach().numpy(), dict(zip(parameters, (each.numpy() for each in found)))

    def step(self, *, path, samples=SAMPLES):
        energy = dual_energy(self.target.spectrum)
        return self.kernels.step(samples, energy, step=NUMBER, seed=SEED, path=path)


@pytest.fixture(scope="module", params=[4, 8])
def pair(request):
    return Pair(request.param)


@pytest.fixture(scope="module")
def small():
    return Pair(4)


def as_tensor(fields):
    return torch.from_numpy(np.asarray(fields, np.float64))


# Densities


def test_densities_are_those_of_the_oracle(pair):
    drawn = pair.kernels.draw(SAMPLES, seed=1)
    assert drawn.fields.dtype == drawn.log_q.dtype == np.float64
    with torch.no_grad():
        exact = pair.plain.log_density(as_tensor(drawn.fields))
    np.testing.assert_allclose(drawn.log_q, exact, rtol=0, atol=NATS)
    np.testing.assert_allclose(pair.kernels.log_density(drawn.fields), exact, rtol=0, atol=NATS)


def test_density_is_exactly_even_and_that_of_q0_is_not():
    fields = np.random.default_rng(2).standard_normal((100, 4, 4))
    flow, one = Pair(4).kernels, Pair(4, symmetric=False).kernels
    np.testing.assert_array_equal(flow.log_density(fields), flow.log_density(-fields))
    q0, reverse = one.log_density(fields), one.log_density(-fields)
    assert np.abs(q0 - reverse).max() > 0.1
    mean = np.logaddexp(q0, reverse) - np.log(2)
    np.testing.assert_allclose(flow.log_density(fields), mean, rtol=0, atol=NATS)


def test_mean_of_q0_over_q_is_one_on_draws_of_q():
    """∫ q (q₀/q) = 1. The ratio is at most 2, and on draws of q₀ its mean is above 1."""
    flow, one = Pair(4).kernels, Pair(4, symmetric=False).kernels
    for drawn, is_one in ((flow.draw(3_000, seed=1), True), (one.draw(3_000, seed=1), False)):
        ratio = np.exp(one.log_density(drawn.fields) - flow.log_density(drawn.fields))
        assert ratio.max() <= 2 + NATS
        assert (abs(ratio.mean() - 1) < 4 * stats.sem(ratio)) == is_one


def test_draws_are_set_by_the_seed_and_fewer_are_the_first_of_more(small):
    flow = small.kernels
    more, other = flow.draw(AT_ONCE + 100, seed=1), flow.draw(10, seed=2)
    assert (more.fields[:10] != other.fields).all()
    for number in (1, LANES, AT_ONCE + 1):
        fewer = flow.draw(number, seed=1)
        np.testing.assert_array_equal(fewer.fields, more.fields[:number])
        np.testing.assert_array_equal(fewer.log_q, more.log_q[:number])
    at_once = flow.log_density(more.fields)
    in_pieces = [flow.log_density(more.fields[at]) for at in (slice(45), slice(45, None))]
    np.testing.assert_array_equal(np.concatenate(in_pieces), at_once)


# What is passed on


def test_what_scales_pass_on_and_its_density_are_those_of_the_oracle(pair):
    """ln q₀(x) is that of what is passed on, and ln N and ln |det| of all that is not."""
    fields = pair.kernels.draw(SAMPLES, seed=1).fields
    latents = as_tensor(pair.kernels.latents(fields, seed=5))
    with torch.no_grad():
        signed, log_det = pair.plain.generate(latents)  # x or −x, as drawn
        log_q0 = plain.log_normal(latents) - log_det
        passed = pair.kernels.passed_on(fields, seed=5)
        assert [each.scale for each in passed] == list(range(1, pair.architecture.scales + 1))
        for s, x, log_q in passed:
            there, log_det = pair.plain.inverse(signed, scales=s)
            step = 2**s
            np.testing.assert_allclose(x, there[:, ::step, ::step], rtol=0, atol=1e-4)
            coarse = plain.log_normal(latents[:, ::step, ::step])
            finer = plain.log_normal(latents) - coarse + log_det
            np.testing.assert_allclose(log_q + finer.numpy(), log_q0, rtol=0, atol=NATS)
    np.testing.assert_allclose(log_q, coarse, rtol=0, atol=NATS)  # after the last scale, ln N


# Losses and gradients


@pytest.mark.parametrize("path", [False, True])
def test_losses_and_their_gradients_are_those_of_autograd(pair, path):
    found, (loss, exact) = pair.step(path=path), pair.exact(path=path)
    np.testing.assert_allclose(found.loss, loss, rtol=0, atol=NATS)
    assert_gradients_agree(pair.kernels.views(found.gradient), exact)


@pytest.mark.parametrize("path", [False, True])
def test_gradients_of_another_architecture_without_symmetry_are_those_of_autograd(path):
    pair = Pair(8, couplings=3, hidden=(7, 5), depth=2, symmetric=False)
    _, exact = pair.exact(path=path)
    assert_gradients_agree(pair.kernels.views(pair.step(path=path).gradient), exact)


def test_blocks_of_samples_without_a_share_of_the_reverse_add_nothing(monkeypatch):
    pair = Pair(8, couplings=3)
    found = pair.step(path=False, samples=8 * LANES).gradient
    blocks = []
    score = pair.kernels._score
    monkeypatch.setattr(
        pair.kernels,
        "_score",
        lambda z, *more, **how: blocks.append(len(z)) or score(z, *more, **how),
    )
    pair.step(path=False, samples=8 * LANES)
    monkeypatch.setattr("coarsegrain.flows.patch_flow.NO_SHARE", -1.0)
    whole = pair.step(path=False, samples=8 * LANES).gradient
    assert 0 < blocks[0] < blocks[1] == 8
    assert np.linalg.norm(found - whole) < 1e-7 * np.linalg.norm(whole)


def assert_gradients_agree(found, exact):
    apart = {
        name: np.linalg.norm(found[name] - exact[name]) / np.linalg.norm(exact[name])
        for name in exact
    }
    assert max(apart.values()) < OF_ITS_NORM, {k: v for k, v in apart.items() if v > 1e-6}


def test_means_over_both_signs_are_those_over_one(small):
    """E[ln q + E] of samples of both signs, as drawn, and of the sign + only, as trained."""
    drawn = small.kernels.draw(4096, seed=1)
    assert 0.4 < (drawn.fields.mean(axis=(1, 2)) > 0).mean() < 0.6
    both = drawn.log_q + small.target.energy(drawn.fields)
    one = small.step(path=False, samples=4096).loss
    assert abs(both.mean() - one.mean()) < 4 * np.hypot(both.std(), one.std()) / 64


def test_steps_of_the_trainer_are_those_of_adam_on_exact_gradients_with_weight_decay():
    pair, decay, rate = Pair(4, couplings=2, hidden=(4,)), 0.1, 1e-2
    trainer = PatchTrainer(
        pair.kernels, dual_energy(pair.target.spectrum), seed=SEED, weight_decay=decay
    )
    start = pair.kernels.parameters.copy()
    before, after = (pair.kernels.views(each) for each in (start, pair.kernels.parameters))
    parameters = pair.plain.parameters()
    moments = {name: np.zeros((2, each.numel())) for name, each in parameters.items()}
    for k in range(3):
        loss, exact = pair.exact(path=False, step=k)
        np.testing.assert_allclose(trainer.step(k, SAMPLES, rate), loss, rtol=0, atol=1e-3)
        for name, each in parameters.items():
            numbers = each.detach().numpy().reshape(-1)  # shares the tensor's memory
            gradient = exact[name].reshape(-1) + decay * numbers
            adam_step(numbers, *moments[name], gradient, k + 1, rate)
    for name, each in parameters.items():
        exact = each.detach().numpy() - before[name]
        apart = after[name] - before[name] - exact
        assert np.linalg.norm(apart) < 1e-3 * np.linalg.norm(exact), name


# Architecture


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


def test_a_new_flow_preserves_volume_and_its_scales_have_gradients(small):
    start = PatchFlow(small.architecture, starting_weights(small.architecture, seed=1))
    drawn = start.draw(10, seed=1)
    latents = start.latents(drawn.fields, seed=1)
    unmixed = PatchFlow(PatchArchitecture(4, symmetric=False), start.weights())
    signs = np.sign((unmixed.latents(drawn.fields, seed=1) - latents).any(axis=(1, 2)) - 0.5)
    x = -signs[:, None, None] * drawn.fields
    log_normal = stats.norm.logpdf(latents).sum(axis=(1, 2))
    np.testing.assert_allclose(unmixed.log_density(x), log_normal, rtol=0, atol=NATS)
    gradient = start.step(LANES, dual_energy(small.target.spectrum), step=0, seed=1).gradient
    views = start.views(gradient)
    assert all((views[f"{k}.scale"] != 0).any() for k in range(4))


def test_flow_of_the_authors_at_side_16_has_50560_parameters():
    assert PatchArchitecture(16).layers == 8
    for depth, size in ((None, 50_560), (2, 25_280)):
        architecture = PatchArchitecture(16, depth=depth)
        flow = PatchFlow(architecture, starting_weights(architecture, seed=1))
        assert flow.parameters.shape == (size,)


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


def test_starting_weights_are_set_by_the_seed():
    first, same, other = (starting_weights(PatchArchitecture(4), seed=seed) for seed in (1, 1, 2))
    assert all((first[name] == same[name]).all() for name in first)
    assert all((first[name] != other[name]).any() for name in first if "scale" not in name)


@pytest.mark.parametrize("symmetric", [True, False])
def test_flow_read_from_a_file_is_the_flow_written(tmp_path, symmetric):
    flow = Pair(8, depth=2, hidden=(3, 5), couplings=2, symmetric=symmetric).kernels
    write_patch_flow(tmp_path / "flow.safetensors", flow, {"beta": "0.4"})
    found, metadata = read_flow(tmp_path / "flow.safetensors")
    assert metadata["beta"] == "0.4"
    assert found.architecture == flow.architecture
    np.testing.assert_array_equal(found.draw(20, seed=1).fields, flow.draw(20, seed=1).fields)


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
        Pair(8).kernels.log_density(np.zeros((2, 4, 4)))


def test_masks_that_do_not_keep_two_variables_are_refused():
    weights = starting_weights(PatchArchitecture(4), seed=1)
    weights["1.kept"][3] = 1
    with pytest.raises(ValueError, match=r"1\.kept has a row that does not keep 2 of 4"):
        PatchFlow(PatchArchitecture(4), weights)
