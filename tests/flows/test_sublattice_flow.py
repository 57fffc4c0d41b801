"""The kernels' flow against the same flow in plain PyTorch, float64, at random parameters.

Numbers of float32 are rounded to 6e-8. ln q is a sum of some 100 terms of the size of 1, which
pass through up to 18 couplings: 1e-4 nats is what rounding may do, and 1e-5 what it was seen to do.
A wrong term is of the size of 1.
"""

import numpy as np
import pytest
import torch
from scipy import stats

from coarsegrain.flows.architecture import NEIGHBOURS, Architecture, sublattice_layer
from coarsegrain.flows.blocks import AT_ONCE
from coarsegrain.flows.flow import TRAINING
from coarsegrain.flows.ingredients import start
from coarsegrain.flows.kernels.base import fill_with_normal_numbers
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import DualIsing
from coarsegrain.simd import LANES
from flows.plain_sublattice_flow import PlainFlow

SAMPLES = 64
NATS = 1e-4
OF_ITS_NORM = 1e-4
SEED, NUMBER = 7, 3


def random_parameters(architecture, spectrum, seed=1):
    """Far from the start: every coupling bends, the matrix is another, the modes overlap."""
    rng = np.random.default_rng(seed)
    parameters = start(architecture, spectrum, seed=seed)
    parameters += 0.1 * rng.normal(size=architecture.size)
    architecture.views(parameters)["modes"][:] = 0.8, 0.3
    return parameters.astype(np.float32).astype(np.float64)


class Pair:
    """Both flows, with the same parameters."""

    def __init__(self, L, **numbers):
        self.architecture = Architecture(L, **numbers)
        self.target = DualIsing(L, BETA_CRITICAL)
        self.parameters = random_parameters(self.architecture, self.target.spectrum)
        self.kernels = SublatticeFlow(self.architecture, self.target.spectrum, self.parameters)
        self.plain = PlainFlow(self.architecture, self.target.spectrum)

    def log_density(self, fields):
        x = torch.from_numpy(fields.reshape(len(fields), -1).astype(np.float64))
        return self.plain.log_density(torch.from_numpy(self.parameters), x).numpy()

    def exact(self, loss):
        """A loss and the gradient of its mean, of a function of the parameters."""
        parameters = torch.from_numpy(self.parameters).requires_grad_(True)
        found = loss(parameters)
        (gradient,) = torch.autograd.grad(found.mean(), parameters)
        return found.detach().numpy(), gradient.numpy()

    def assert_gradients_agree(self, found, exact):
        found, exact = self.architecture.views(found), self.architecture.views(exact)
        apart = {
            name: np.linalg.norm(found[name] - exact[name]) / np.linalg.norm(exact[name])
            for name in exact
        }
        assert max(apart.values()) < OF_ITS_NORM, {k: v for k, v in apart.items() if v > 1e-5}


@pytest.fixture(
    scope="module", params=[(4, "waves"), (8, "sites"), (8, "means"), (8, "waves")], ids=str
)
def pair(request):
    L, passes = request.param
    return Pair(L, passes=passes)


@pytest.fixture(scope="module")
def small():
    return Pair(4)


def normal_numbers(L, first=0, number=SAMPLES, seed=SEED, stream=TRAINING, step=NUMBER):
    """Latent variables of a step: (samples, N) float32."""
    z = np.empty((number // LANES, L * L * LANES), np.float32)
    words = np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)
    fill_with_normal_numbers(z, first, stream, step, *words)
    return z.reshape(-1, L * L, LANES).transpose(0, 2, 1).reshape(number, L * L)


def as_tensors(z):
    """Normal numbers and signs +, for the oracle."""
    return torch.from_numpy(z.astype(np.float64)), torch.ones(len(z), dtype=torch.float64)


# Densities


def test_densities_of_drawn_fields_are_those_of_the_oracle(pair):
    drawn = pair.kernels.draw(SAMPLES, seed=1)
    exact = pair.log_density(drawn.fields)
    np.testing.assert_allclose(drawn.log_q, exact, rtol=0, atol=NATS)
    np.testing.assert_allclose(pair.kernels.log_density(drawn.fields), exact, rtol=0, atol=NATS)


def test_drawn_fields_are_those_of_the_oracle_with_signs_in_turn(small):
    z = normal_numbers(4, seed=5, stream=1, step=0)
    sign = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(SAMPLES // 2)
    x, log_q = small.plain.forwards(torch.from_numpy(small.parameters), as_tensors(z)[0], sign)
    drawn = small.kernels.draw(SAMPLES, seed=5)
    np.testing.assert_allclose(drawn.fields.reshape(SAMPLES, -1), x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(drawn.log_q, log_q, rtol=0, atol=NATS)


def test_densities_are_even_to_the_bit(pair):
    fields = pair.kernels.draw(SAMPLES, seed=1).fields
    there, here = pair.kernels.log_density(-fields), pair.kernels.log_density(fields)
    np.testing.assert_array_equal(there, here)
    np.testing.assert_allclose(pair.log_density(-fields), pair.log_density(fields), rtol=1e-13)


def test_log_densities_are_those_of_the_jacobian(pair):
    parameters = torch.from_numpy(pair.parameters)
    z, _ = as_tensors(normal_numbers(pair.architecture.L, number=LANES)[:2])
    # the mean of two modes is no function of z alone: q of fields by way of the flow's own inverse
    for each, sign in zip(z, (1.0, -1.0), strict=True):
        signs = torch.tensor([sign], dtype=torch.float64)
        x, log_q = pair.plain.forwards(parameters, each[None], signs)
        torch.testing.assert_close(pair.plain.log_density(parameters, x), log_q, rtol=0, atol=1e-10)

        def fields(z, signs=signs):
            return pair.plain.forwards(parameters, z[None], signs)[0][0]

        jacobian = torch.autograd.functional.jacobian(fields, each, vectorize=True)
        _, log_det = torch.linalg.slogdet(jacobian)
        log_normal = -(each**2).sum() / 2 - len(each) / 2 * np.log(2 * np.pi)
        # this mode's share of q: half of one mode's density, of both modes'
        mu, log_sigma = pair.architecture.views(parameters)["modes"]
        epsilon = each.sum() / pair.architecture.L
        a = sign * (mu + log_sigma.exp() * epsilon)
        far = ((a + sign * mu) ** 2 - (a - sign * mu) ** 2) / (2 * log_sigma.exp() ** 2)
        share = torch.log1p(torch.exp(-far)) - np.log(2)
        assert abs(log_q[0] - (log_normal - log_det + share)) < 1e-10


def test_fields_come_from_two_modes_far_apart():
    architecture, target = Architecture(4), DualIsing(4, BETA_CRITICAL)
    parameters = start(architecture, target.spectrum, seed=1)
    architecture.views(parameters)["modes"][:] = 5.0, -1.0
    flow = SublatticeFlow(architecture, target.spectrum, parameters)
    means = flow.draw(256, seed=1).fields.mean(axis=(1, 2))
    assert (means[::2] > 0).all()
    assert (means[1::2] < 0).all()
    # x = √K w, and √N = 4 times the mean of w is ±5 with the standard deviation 1/e
    means *= 4 / np.sqrt(target.spectrum[0, 0])
    assert abs(means[::2].mean() - 5) < 4 * np.exp(-1) / np.sqrt(128)
    assert means[::2].std() == pytest.approx(np.exp(-1), rel=0.2)


def test_the_flow_starts_as_a_product_of_the_two_modes_and_a_normal_density():
    architecture, target = Architecture(4), DualIsing(4, BETA_CRITICAL)
    parameters = start(architecture, target.spectrum, seed=1)
    flow = SublatticeFlow(architecture, target.spectrum, parameters)
    drawn = flow.draw(SAMPLES, seed=1)
    x = drawn.fields
    normal = -(target.multiplied(x, -1) * x).sum(axis=(1, 2)) / 2
    normal -= 8 * np.log(2 * np.pi) + target.log_det() / 2
    mean = 4 * x.mean(axis=(1, 2)) / np.sqrt(target.spectrum[0, 0])
    modes = stats.norm.logpdf(mean[:, None], [2, -2])
    exact = normal + np.logaddexp(*modes.T) - np.log(2) - stats.norm.logpdf(mean)
    np.testing.assert_allclose(drawn.log_q, exact, rtol=0, atol=NATS)


# Losses and gradients


@pytest.mark.parametrize("path", [False, True])
def test_losses_and_their_gradients_are_those_of_autograd(pair, path):
    z, sign = as_tensors(normal_numbers(pair.architecture.L))
    found = pair.kernels.step(SAMPLES, step=NUMBER, seed=SEED, path=path)
    loss, gradient = pair.exact(lambda of: pair.plain.loss(of, z, sign, path=path))
    np.testing.assert_allclose(found.loss, loss, rtol=0, atol=NATS)
    pair.assert_gradients_agree(found.gradient, gradient)


def test_likelihoods_and_their_gradients_are_those_of_autograd(pair):
    fields = pair.kernels.draw(SAMPLES, seed=1).fields
    x = torch.from_numpy(fields.reshape(SAMPLES, -1))
    found = pair.kernels.likelihood_step(fields)
    loss, gradient = pair.exact(lambda of: -pair.plain.log_density(of, x))
    np.testing.assert_allclose(found.loss, loss, rtol=0, atol=NATS)
    pair.assert_gradients_agree(found.gradient, gradient)


@pytest.mark.parametrize("path", [False, True])
def test_gradients_of_another_architecture_are_those_of_autograd(path):
    pair = Pair(4, couplings=3, hidden=5, bins=3)
    z, sign = as_tensors(normal_numbers(4))
    found = pair.kernels.step(SAMPLES, step=NUMBER, seed=SEED, path=path)
    _, gradient = pair.exact(lambda of: pair.plain.loss(of, z, sign, path=path))
    pair.assert_gradients_agree(found.gradient, gradient)


def test_both_gradients_have_the_same_mean(small):
    squares = []
    for seed in range(4):
        pairs = [
            [
                small.kernels.step(512, step=k, seed=seed, path=path).gradient
                for path in (True, False)
            ]
            for k in range(60)
        ]
        apart = np.subtract(*np.swapaxes(pairs, 0, 1))
        z = apart.mean(axis=0) / (apart.std(axis=0, ddof=1) / np.sqrt(len(apart)))
        # Student's t with 59 degrees of freedom for each parameter
        assert np.isfinite(z).all()
        assert np.abs(z).max() < 6
        squares.append((z**2).mean())
    # parameters are correlated: over seeds, a mean of their squares has the standard deviation 0.17
    assert np.mean(squares) == pytest.approx(59 / 57, abs=4 * 0.17 / np.sqrt(4))


def test_means_over_both_signs_are_those_over_one(small):
    """E[ln q + E] of samples of both signs, as drawn, and of the sign + only, as trained."""
    drawn = small.kernels.draw(8192, seed=1)
    both = drawn.log_q + small.target.energy(drawn.fields)
    one = small.kernels.step(8192, step=0, seed=2).loss
    error = np.hypot(both.std(), one.std()) / np.sqrt(8192)
    assert abs(both.mean() - one.mean()) < 4 * error


def test_changed_parameters_count_after_refresh(small):
    flow = SublatticeFlow(small.architecture, small.target.spectrum, small.parameters)
    fields = flow.draw(LANES, seed=1).fields
    flow.parameters[:] = random_parameters(small.architecture, small.target.spectrum, seed=2)
    flow.refresh()
    other = SublatticeFlow(small.architecture, small.target.spectrum, flow.parameters)
    np.testing.assert_array_equal(flow.log_density(fields), other.log_density(fields))
    assert (flow.log_density(fields) != small.kernels.log_density(fields)).all()


# Random numbers


def test_normal_numbers_are_normal():
    z = normal_numbers(4, number=32 * 1000)
    assert stats.kstest(z.reshape(-1), "norm").pvalue > 0.01
    variance = stats.norm.isf(0.005) * np.sqrt(2 / z.size)
    assert abs(z.astype(np.float64).var() - 1) < variance
    # largest of 120 correlations
    correlation = np.corrcoef(z.T.astype(np.float64))[np.triu_indices(16, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(len(z))


def test_tails_of_normal_numbers_are_those_of_the_normal_density():
    z = np.abs(normal_numbers(8, number=32 * 1000))
    for far in (3.0, 4.0, 4.5):
        expected = z.size * 2 * stats.norm.sf(far)
        assert abs((z > far).sum() - expected) < 4 * np.sqrt(expected)
    assert z.max() < 5.4


def test_normal_numbers_differ_by_seed_step_stream_and_block():
    base = {"seed": 1, "step": 0, "stream": 0, "first": 0}
    found = [normal_numbers(4, **base)]
    found += [
        normal_numbers(4, **base | other)
        for other in ({"seed": 2}, {"seed": 2**32 + 1}, {"step": 1}, {"stream": 1}, {"first": 2})
    ]
    for k, z in enumerate(found):
        assert not any(np.isin(z, other).sum() > 5 for other in found[:k])


def test_the_same_seed_gives_the_same_bits(small):
    first, again = (small.kernels.draw(100, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.fields, again.fields)
    np.testing.assert_array_equal(first.log_q, again.log_q)
    assert (small.kernels.draw(100, seed=4).log_q != first.log_q).all()
    steps = [small.kernels.step(SAMPLES, step=1, seed=3) for _ in range(2)]
    np.testing.assert_array_equal(steps[0].gradient, steps[1].gradient)


def test_fewer_samples_are_the_first_of_more(small):
    more = small.kernels.draw(AT_ONCE + 100, seed=3)
    for number in (1, LANES, AT_ONCE, AT_ONCE + 1):
        fewer = small.kernels.draw(number, seed=3)
        assert fewer.fields.shape == (number, 4, 4)
        np.testing.assert_array_equal(fewer.fields, more.fields[:number])
        np.testing.assert_array_equal(fewer.log_q, more.log_q[:number])


def test_densities_do_not_depend_on_what_else_is_evaluated(small):
    fields = small.kernels.draw(AT_ONCE + 100, seed=3).fields
    at_once = small.kernels.log_density(fields)
    assert at_once.shape == (AT_ONCE + 100,)
    in_pieces = [small.kernels.log_density(fields[at]) for at in (slice(45), slice(45, None))]
    np.testing.assert_array_equal(np.concatenate(in_pieces), at_once)
    np.testing.assert_array_equal(small.kernels.log_density(fields[:1]), at_once[:1])


# Architecture


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("parity", [0, 1])
def test_a_coupling_divides_its_scale_into_what_it_changes_and_what_these_sites_see(step, parity):
    L = 8
    layer = sublattice_layer(L, step, parity)
    sites = np.arange(L * L).reshape(L, L)[::step, ::step]
    both = np.concatenate([layer.changed, layer.others])
    np.testing.assert_array_equal(np.sort(both), np.sort(sites.reshape(-1)))
    assert len(layer.changed) == len(layer.others)
    assert layer.seen.shape == (len(layer.changed), len(NEIGHBOURS))
    assert np.isin(layer.seen, layer.others).all()


def test_sites_see_the_four_nearest_and_eight_a_knights_move_away():
    layer = sublattice_layer(16, 2, 0)
    for site, seen in zip(layer.changed, layer.seen, strict=True):
        away = [(seen // 16 - site // 16) / 2, (seen % 16 - site % 16) / 2]
        distances = sum(((each + 4) % 8 - 4) ** 2 for each in away)
        assert sorted(distances) == [1] * 4 + [5] * 8


def test_every_scale_changes_all_of_its_sites_in_turn():
    layers = Architecture(8, couplings=2).layers
    assert [len(layer.changed) for layer in layers] == [2, 2, 8, 8, 32, 32]
    assert set(np.concatenate([layer.changed for layer in layers[-2:]])) == set(range(64))


def test_parameters_by_name_are_views_of_all_of_the_array():
    architecture = Architecture(8, couplings=2, hidden=3, bins=2)
    parameters = np.zeros(architecture.size)
    for view in architecture.views(parameters).values():
        view += 1
    np.testing.assert_array_equal(parameters, 1)
    # orbits of 8 x 8 wave vectors: pairs of 0 … 4 in any order
    assert architecture.shapes["spectrum"] == (15,)


def test_orbits_are_those_of_the_symmetries_of_the_square():
    orbits = Architecture(8).orbits
    np.testing.assert_array_equal(orbits, orbits.T)
    np.testing.assert_array_equal(orbits[1:], orbits[:0:-1])
    cosines = np.cos(2 * np.pi * np.arange(8) / 8)
    names = np.round(cosines[:, None] + cosines, 9) + 1j * np.round(np.outer(cosines, cosines), 9)
    pairs = set(zip(orbits.reshape(-1).tolist(), names.reshape(-1).tolist(), strict=True))
    assert len(pairs) == len(np.unique(orbits)) == len(np.unique(names))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"L": 2}, "L is 2; a flow needs a power of 2, at least 4"),
        ({"L": 12}, "L is 12"),
        ({"L": 8, "couplings": 0}, "couplings is 0; it must be at least 1"),
        ({"L": 8, "hidden": 0}, "hidden is 0"),
        ({"L": 8, "bins": -1}, "bins is -1"),
    ],
)
def test_flows_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Architecture(**wrong)
