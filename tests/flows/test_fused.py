"""exp, tanh and ELU by fused multiply-adds, against float64."""

import numpy as np
import pytest

from coarsegrain.flows.kernels.fused import elu, exponential, tangent
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, store


@kernel
def _exponentials(x, y):
    for at in range(0, len(x), LANES):
        store(y, at, exponential(load(x, at)))


@kernel
def _tangents(x, y):
    for at in range(0, len(x), LANES):
        store(y, at, tangent(load(x, at)))


@kernel
def _elus(x, y):
    for at in range(0, len(x), LANES):
        store(y, at, elu(load(x, at)))


def of_all(function, x):
    """A function of every number of an array, whose size is a multiple of 32."""
    y = np.empty_like(x)
    function(x, y)
    return y


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 0.1, 1, 10, 80])
def test_exp_is_accurate_to_two_units_and_to_those_of_its_exponent(scale):
    x = np.random.default_rng(1).uniform(-scale, scale, 3200).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    error = np.abs(of_all(_exponentials, x) / exact - 1)
    assert (error < 2.0**-22 + 2.0**-25 * np.abs(x)).all()


def test_exp_is_one_at_zero_and_ends_at_80():
    x = np.full(LANES, 0, np.float32)
    x[1:9] = [-0.0, 80, -80, 81, -81, 1e30, -1e30, np.inf]
    found = of_all(_exponentials, x)
    assert (found[:2] == 1).all()
    assert (found[2:9:2] == found[2]).all()
    assert (found[3:9:2] == found[3]).all()
    np.testing.assert_allclose(found[2:4], np.exp([80, -80]), rtol=4e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 0.1, 1, 10, 1e4])
def test_tanh_is_accurate_to_twenty_units_in_the_last_place_and_odd(scale):
    x = np.random.default_rng(2).uniform(-scale, scale, 3200).astype(np.float32)
    found, exact = of_all(_tangents, x), np.tanh(x.astype(np.float64))
    units = np.abs(found - exact) / np.spacing(np.abs(exact).astype(np.float32))
    assert units.max() < 20
    np.testing.assert_array_equal(of_all(_tangents, -x), -found)


def test_elu_is_accurate_to_the_seventh_digit_of_one():
    x = np.linspace(-100, 20, 32 * 1000, dtype=np.float32)
    x[:LANES] = np.geomspace(1e-30, 1, LANES)
    exact = np.where(x > 0, x, np.expm1(x.astype(np.float64)))
    np.testing.assert_allclose(of_all(_elus, x), exact, rtol=2e-7, atol=1e-7)
