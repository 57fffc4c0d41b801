"""exp, ln and tanh of vectors, against float64."""

import numpy as np
import pytest

from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, store
from coarsegrain.vector_math import FARTHEST, exponentials, hyperbolic_tangent, logarithms


@kernel
def tanh_of_all(x, y):
    for i in range(0, len(x), LANES):
        store(y, i, hyperbolic_tangent(load(x, i)))


def units_in_the_last_place(found, exact):
    """Largest deviation, in distances between neighbouring float32 numbers there."""
    return (np.abs(found - exact) / np.spacing(np.abs(exact).astype(np.float32))).max()


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 0.1, 1, 10, 80])
def test_exp_is_accurate_to_two_units_in_the_last_place(scale):
    x = np.random.default_rng(1).uniform(-scale, scale, 3200).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    assert units_in_the_last_place(exponentials(x), exact) < 2


def test_exp_at_zero_is_one_and_ends_at_80():
    x = np.array([0, -0.0, 80, -80, 81, -81, 1e30, -1e30, np.inf, -np.inf], np.float32)
    ends = np.array([1, 1, *[np.exp(80), np.exp(-80)] * 4])
    np.testing.assert_allclose(exponentials(x), ends, rtol=2**-22)
    assert FARTHEST == 80


@pytest.mark.parametrize("exponent", [0.01, 1, 10, 126])
def test_ln_is_accurate_to_three_units_in_the_last_place(exponent):
    rng = np.random.default_rng(2)
    x = np.exp2(rng.uniform(-exponent, exponent, 32_000)).astype(np.float32)
    exact = np.log(x.astype(np.float64))
    away = np.abs(x - 1) > 2**-20
    assert units_in_the_last_place(logarithms(x)[away], exact[away]) < 3


def test_ln_of_one_is_zero_and_beside_it_exact_to_first_order():
    step = np.array([0, 2**-23, -(2**-24), 2**-20, -(2**-20)])
    np.testing.assert_allclose(logarithms(1 + step), np.log1p(step), rtol=2**-22)


def test_ln_at_the_ends_of_the_normal_numbers():
    ends = np.array([np.finfo(np.float32).tiny, np.finfo(np.float32).max])
    np.testing.assert_allclose(logarithms(ends), np.log(ends), rtol=2**-23)


def test_ln_undoes_exp():
    x = np.linspace(-79, 79, 4001, dtype=np.float32)
    np.testing.assert_allclose(logarithms(exponentials(x)), x, rtol=2**-22, atol=2**-22)


def test_arrays_of_any_shape_keep_it_and_their_numbers():
    x = np.random.default_rng(3).uniform(0.5, 2, (3, 5, 7))
    for function, exact in ((exponentials, np.exp), (logarithms, np.log)):
        found = function(x)
        assert (found.shape, found.dtype) == (x.shape, np.float32)
        np.testing.assert_allclose(found, exact(x), rtol=1e-6, atol=1e-6)
    assert exponentials(np.empty((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("scale", [1e-30, 1e-4, 0.3, 3, 30, 1e6])
def test_tanh_is_accurate_to_three_units_in_the_last_place(scale):
    x = (scale * np.random.default_rng(1).normal(size=3200)).astype(np.float32)
    y = np.empty_like(x)
    tanh_of_all(x, y)
    exact = np.tanh(x.astype(np.float64))
    assert np.abs(y / exact - 1).max() < 3 * 2**-23


def test_tanh_at_zero_and_far_out():
    x = np.zeros(LANES, np.float32)
    x[1:4] = np.inf, -np.inf, -0.0
    y = np.empty_like(x)
    tanh_of_all(x, y)
    np.testing.assert_array_equal(y[:5], [0, 1, -1, 0, 0])
    np.testing.assert_array_equal(np.signbit(y[:4]), [False, False, True, True])


def test_tanh_is_odd_to_the_bit():
    x = np.random.default_rng(4).normal(0, 3, 3200).astype(np.float32)
    y, mirrored = np.empty_like(x), np.empty_like(x)
    tanh_of_all(x, y)
    tanh_of_all(-x, mirrored)
    np.testing.assert_array_equal(mirrored, -y)
