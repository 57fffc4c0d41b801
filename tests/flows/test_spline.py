"""Odd monotone splines of the kernels: values, inverse and derivatives."""

import numpy as np
import pytest
import torch

from coarsegrain.flows.kernels.spline import (
    EXTENT,
    knots,
    spline_gradient,
    spline_inverse,
    spline_value,
)
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, store
from flows import plain_sublattice_flow as plain

#: Each with a spline of its own.
SAMPLES = 100 * LANES


@kernel
def apply(function, x, numbers, bins, y, log_slope):
    values = np.empty((3 * bins + 1) * LANES, np.float32)
    for at in range(0, len(x), LANES):
        knots(numbers[at // LANES], bins, values)
        found, slope = function(load(x, at), values, bins)
        store(y, at, found)
        store(log_slope, at, slope)


@kernel
def gradients(x, gy, gl, numbers, bins, gx, g):
    values = np.empty((3 * bins + 1) * LANES, np.float32)
    for at in range(0, len(x), LANES):
        knots(numbers[at // LANES], bins, values)
        found = spline_gradient(
            load(x, at), load(gy, at), load(gl, at), values, bins, g[at // LANES]
        )
        store(gx, at, found)


def as_blocks(numbers):
    """(samples, n) as the kernels take them: (blocks, n LANES)."""
    blocks = numbers.astype(np.float32).reshape(-1, LANES, numbers.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(blocks.reshape(len(blocks), -1))


def applied(function, x, numbers):
    y, log_slope = np.empty_like(x), np.empty_like(x)
    apply(function, x, as_blocks(numbers), numbers.shape[1] // 3, y, log_slope)
    return y, log_slope


def drawn(bins, seed=1):
    """Numbers of splines, and places of which a third lies on the lines beyond the last bin."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(0, 0.5, (SAMPLES, 3 * bins + 1)).astype(np.float32)
    x = rng.normal(0, EXTENT, SAMPLES).astype(np.float32)
    return x, numbers


def ends(numbers):
    """Where the last bin ends."""
    bins = numbers.shape[1] // 3
    return np.exp(numbers[:, :bins].astype(np.float64)).sum(1) * EXTENT / bins


@pytest.fixture(params=[1, 4, 5])
def bins(request):
    return request.param


def test_values_and_slopes_are_those_of_the_formulas(bins):
    x, numbers = drawn(bins)
    outside = np.abs(x) > ends(numbers)
    assert 0.2 < outside.mean() < 0.5
    y, log_slope = applied(spline_value, x, numbers)
    exact, exact_slope = plain.spline(
        *map(torch.from_numpy, (x.astype(float), numbers.astype(float)))
    )
    np.testing.assert_allclose(y, exact, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(log_slope, exact_slope, atol=1e-5)


def test_the_inverse_gives_back_the_places_and_the_same_slopes(bins):
    x, numbers = drawn(bins)
    y, log_slope = applied(spline_value, x, numbers)
    again, slope_there = applied(spline_inverse, y, numbers)
    np.testing.assert_allclose(again, x, rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(slope_there, log_slope, atol=5e-5)


def test_log_slopes_of_the_formulas_are_those_of_autograd(bins):
    x, numbers = (torch.from_numpy(each).double() for each in drawn(bins))
    x.requires_grad_(True)
    y, log_slope = plain.spline(x, numbers)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(log_slope, slope.log(), rtol=0, atol=1e-12)
    torch.testing.assert_close(plain.spline_inverse(y, numbers)[0], x, rtol=1e-11, atol=1e-11)


def test_splines_are_odd_to_the_bit(bins):
    x, numbers = drawn(bins)
    for function in (spline_value, spline_inverse):
        y, log_slope = applied(function, x, numbers)
        mirrored, same = applied(function, -x, numbers)
        np.testing.assert_array_equal(mirrored, -y)
        np.testing.assert_array_equal(same, log_slope)
        np.testing.assert_array_equal(applied(function, 0 * x, numbers)[0], 0)


def test_numbers_of_zero_make_the_identity(bins):
    x, numbers = drawn(bins)
    for function in (spline_value, spline_inverse):
        y, log_slope = applied(function, x, 0 * numbers)
        np.testing.assert_allclose(y, x, rtol=5e-7)
        np.testing.assert_allclose(log_slope, 0, atol=1e-6)


def test_splines_rise(bins):
    _, numbers = drawn(bins)
    x = np.sort(np.random.default_rng(2).normal(0, EXTENT, SAMPLES)).astype(np.float32)
    y, _ = applied(spline_value, x, np.broadcast_to(numbers[0], numbers.shape))
    assert (np.diff(y)[np.diff(x) > 1e-5] > 0).all()


@pytest.mark.parametrize("of", ["y", "ln dy/dx", "both"])
def test_gradients_are_those_of_autograd(bins, of):
    x, numbers = drawn(bins)
    gy, gl = np.random.default_rng(3).normal(size=(2, SAMPLES)).astype(np.float32)
    gy, gl = gy * (of != "ln dy/dx"), gl * (of != "y")
    gx, g = np.empty_like(x), np.empty((SAMPLES // LANES, numbers.shape[1] * LANES), np.float32)
    gradients(x, gy, gl, as_blocks(numbers), bins, gx, g)
    g = g.reshape(-1, numbers.shape[1], LANES).transpose(0, 2, 1).reshape(numbers.shape)

    leaves = [torch.from_numpy(each).double().requires_grad_(True) for each in (x, numbers)]
    y, log_slope = plain.spline(*leaves)
    loss = (torch.from_numpy(gy) * y + torch.from_numpy(gl) * log_slope).sum()
    exact = [each.numpy() for each in torch.autograd.grad(loss, leaves)]
    for found, true in zip((gx, g), exact, strict=True):
        np.testing.assert_allclose(found, true, rtol=1e-4, atol=2e-5 * np.abs(true).max())


def test_the_inverse_of_steep_and_of_flat_splines_is_close():
    rng = np.random.default_rng(4)
    numbers = rng.normal(0, 1.5, (SAMPLES, 13)).astype(np.float32)
    x = rng.normal(0, EXTENT, SAMPLES).astype(np.float32)
    y, log_slope = applied(spline_value, x, numbers)
    again, _ = applied(spline_inverse, y, numbers)
    # what a rounding of y is worth in x
    worth = np.spacing(np.abs(y)) / np.exp(log_slope.astype(np.float64)) + np.spacing(np.abs(x))
    assert np.quantile(np.abs(again - x) / worth, 0.99) < 50


def test_splines_are_those_of_zuko_where_these_are_odd():
    zuko = pytest.importorskip("zuko", reason="zuko, another code of the same splines, is missing")
    bins, (x, numbers) = 4, drawn(4)
    # zuko's go from −EXTENT to EXTENT, so ours must, and are the identity beyond
    ours = torch.from_numpy(numbers[0]).double() / 2
    for part in (ours[:bins], ours[bins : 2 * bins]):
        part -= (part.exp().mean()).log()
    ours[-1] = 0
    widths, heights = (torch.cat([each.flip(0), each]) for each in ours[: 2 * bins].split(bins))
    slopes = torch.cat([ours[2 * bins + 1 : -1].flip(0), ours[2 * bins : -1]])
    least = 1e-9
    peer = zuko.transforms.MonotonicRQSTransform(
        _before_clipping(widths, 2 / np.log(least)), _before_clipping(heights, 2 / np.log(least)),
        _before_clipping(slopes, 1 / np.log(least)), bound=EXTENT, slope=least,
    )  # fmt: skip
    exact, exact_slope = peer.call_and_ladj(torch.from_numpy(x).double())
    y, log_slope = applied(spline_value, x, np.broadcast_to(ours.numpy(), (SAMPLES, len(ours))))
    np.testing.assert_allclose(y, exact, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(log_slope, exact_slope, atol=1e-5)


def _before_clipping(numbers, factor):
    """What zuko makes these numbers of: it takes x/(1 + |factor x|) for x."""
    return numbers / (1 - (factor * numbers).abs())
