"""Gradient patterns: of maps that are known, and of a flow against autograd."""

import numpy as np
import torch

from coarsegrain.analysis.gradient_patterns import decorrelation, gradient_patterns
from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing
from flows.plain_sublattice_flow import PlainFlow, spline_inverse

L, SAMPLES = 4, 8


def kernel():
    """(L, L) of a translation invariant linear map, different for all displacements."""
    found = np.random.default_rng(1).normal(size=(L, L))
    found[L // 2, L // 2] += 3  # the response to the site itself
    return found


def mapped(fields):
    """Σ_d g(d) x(a + d) at every site a."""
    g = kernel()
    return sum(
        g[down + L // 2, right + L // 2] * np.roll(fields, (-down, -right), axis=(1, 2))
        for down in range(-(L // 2), L // 2)
        for right in range(-(L // 2), L // 2)
    )


def test_patterns_of_a_linear_map_are_its_kernel_by_displacement():
    fields = np.random.default_rng(2).normal(size=(SAMPLES, L, L))
    found = gradient_patterns(mapped, fields)
    assert [each.scale for each in found] == [1, 2]
    for each in found:
        np.testing.assert_allclose(each.gradient, kernel(), atol=1e-9)
        np.testing.assert_allclose(each.error, 0, atol=1e-9)
        assert each.samples == SAMPLES


def test_either_sign_of_a_sample_counts_alike_and_one_that_changes_within_a_step_does_not():
    fields = np.random.default_rng(2).normal(size=(SAMPLES, L, L))
    fields[:, 0, 0] = np.where(np.arange(SAMPLES) % 2, 5.0, -5.0)
    fields[3, 0, 0] = 0.01

    def of_either_sign(x):
        return np.sign(x[:, :1, :1]) * mapped(x)

    for each in gradient_patterns(of_either_sign, fields):
        np.testing.assert_allclose(each.gradient, kernel(), atol=1e-9)
        assert each.samples == SAMPLES - 1


def test_the_linear_map_without_a_flow_is_that_of_the_samples_covariance():
    dual = DualIsing(8, 0.3)
    fields = dual.multiplied(np.random.default_rng(1).standard_normal((5000, 8, 8)), 0.5)
    point = np.zeros((1, 8, 8))
    point[0, 4, 4] = 1
    np.testing.assert_allclose(decorrelation(fields), dual.multiplied(point, -0.5)[0], atol=0.02)


def test_patterns_of_a_flow_are_those_of_autograd():
    side = 8
    architecture, spectrum = (
        Architecture(side, 2, 6, 3, passes="sites"),
        DualIsing(side, 0.44).spectrum,
    )
    parameters = np.random.default_rng(2).normal(0, 0.15, architecture.size)
    flow = SublatticeFlow(architecture, spectrum, parameters)
    fields = flow.draw(SAMPLES, seed=1).fields
    found = gradient_patterns(lambda x: flow.latents_by_scale(x), fields)

    plain = PlainFlow(architecture, spectrum)
    of = architecture.views(torch.from_numpy(parameters.astype(np.float32).astype(np.float64)))

    def latents(x):
        w = plain._multiplied(x.reshape(1, -1), (-plain._log_eigenvalues(of)).exp())
        for k in reversed(range(len(plain._layers))):
            changed = plain._layers[k][0]
            before, after, numbers = plain._net(of, k, w)
            y, _ = spline_inverse(w[:, changed] - after, numbers)
            w = w.index_copy(1, changed, y - before)
        return w.reshape(side, side)

    jacobians = torch.stack(
        [
            torch.autograd.functional.jacobian(latents, torch.from_numpy(x), vectorize=True)
            for x in fields
        ]
    ).numpy()
    middle = side // 2
    for scale, gradient, error, _ in found:
        rows = [
            np.roll(jacobians[:, a, b], (middle - a, middle - b), axis=(1, 2))
            for a in range(0, side, 2 * scale)
            for b in range(scale, side, 2 * scale)
        ]
        exact = np.mean(rows, axis=0)
        np.testing.assert_allclose(gradient, exact.mean(axis=0), rtol=0, atol=4e-3)
        spread = exact.std(axis=0, ddof=1) / np.sqrt(SAMPLES)
        np.testing.assert_allclose(error, spread, rtol=0.1, atol=2e-3)
