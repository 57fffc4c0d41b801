"""The products of nets, bit by bit: sums in order, each term in one rounding."""

from fractions import Fraction

import numpy as np
import pytest

from coarsegrain.nets.products import (
    copied,
    filled_up,
    from_panels,
    panels,
    products,
    products_before,
    put_into_panels,
    times,
    update,
)
from coarsegrain.nets.training import TrainingSettings
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes

PRECISIONS = ["float32", "float64"]
SHAPES = [(1, 3, 2), (5, 4, 33), (10, 11, 64), (12, 7, 70), (23, 40, 1), (43, 5, 18), (17, 3, 301)]
SETTINGS = TrainingSettings(
    loss="hinge", l1=1e-4, learning_rate=1e-3, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
    batch_size=10, epochs=1,
)  # fmt: skip


def drawn(precision, *shape):
    return np.random.default_rng(shape).normal(size=shape).astype(precision)


def in_panels(*matrices):
    arrays = panels(len(matrices), matrices[0].shape, matrices[0].dtype)
    for array, matrix in zip(arrays, matrices):
        put_into_panels(array, matrix)
    return arrays


def in_order(a, b):
    """The product of two matrices: fused multiply-adds, by rational numbers."""
    sums = np.zeros((len(a), b.shape[1]), a.dtype)
    for i in range(len(a)):
        for j in range(b.shape[1]):
            for k in range(len(b)):
                exact = Fraction(float(a[i, k])) * Fraction(float(b[k, j])) + Fraction(
                    float(sums[i, j])
                )
                sums[i, j] = float(exact)
    return sums


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("n", "inputs", "outputs"), SHAPES)
def test_outputs_are_sums_in_order(n, inputs, outputs, precision):
    x, w = drawn(precision, n, inputs), drawn(precision, inputs, outputs)
    y = filled_up(n, outputs, precision)
    products(copied(x, precision), *in_panels(w), y, n, inputs)
    np.testing.assert_array_equal(y[:n, :outputs], in_order(x, w))
    np.testing.assert_array_equal(times(x, w), y[:n, :outputs])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("n", "inputs", "outputs"), SHAPES)
def test_slopes_of_the_layer_before_are_sums_in_order(n, inputs, outputs, precision):
    slopes, w = drawn(precision, n, outputs), drawn(precision, inputs, outputs)
    before = filled_up(n, inputs, precision)
    turned = filled_up(outputs, n, precision), filled_up(inputs, n, precision)
    arrays = copied(slopes, precision), *in_panels(w), before
    products_before(*arrays, n, inputs, outputs, *turned)
    np.testing.assert_array_equal(before[:n, :inputs], in_order(slopes, w.T))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("n", "inputs", "outputs"), SHAPES)
def test_update_is_that_of_adam_with_a_gradient_summed_in_order(n, inputs, outputs, precision):
    x, slopes = drawn(precision, n, inputs), drawn(precision, n, outputs)
    start = [drawn(precision, kind, inputs, outputs)[kind - 1] for kind in (1, 2, 3)]
    start[0][0, 0], start[2] = 0, start[2] ** 2  # sign(0) = 0; squares are positive
    sizes, numbers = step_sizes(SETTINGS, 5, 1, precision)[0], adam_constants(SETTINGS, precision)
    expected = [each.copy().reshape(-1) for each in start]
    adam_update(*expected, in_order(x.T, slopes).reshape(-1), sizes, numbers)
    ours = in_panels(*start)
    arrays = copied(x, precision), copied(slopes, precision)
    update(*ours, *arrays, n, inputs, sizes, numbers)
    for each, of_adam in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(from_panels(each, inputs, outputs).reshape(-1), of_adam)
        put_into_panels(each, np.zeros((inputs, outputs), precision))
        assert not each.any()  # what fills panels up stays 0


def test_a_row_does_not_depend_on_the_rows_beside_it():
    x, w = drawn("float32", 300, 50), drawn("float32", 50, 40)
    whole = times(x, w)
    for some in (slice(0, 1), slice(7, 20), slice(100, 250)):
        np.testing.assert_array_equal(times(x[some], w), whole[some])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_panels_give_back_what_was_put_into_them(precision):
    w = drawn(precision, 37, 70)
    (array,) = in_panels(w)
    assert array.ctypes.data % 64 == 0
    np.testing.assert_array_equal(from_panels(array, 37, 70), w)


def test_arrays_begin_at_a_cache_line_and_their_rows_at_odd_ones():
    for rows, columns, precision in [(1, 1, "float32"), (13, 512, "float32"), (7, 512, "float64")]:
        array = filled_up(rows, columns, precision)
        assert array.ctypes.data % 64 == 0
        assert array.strides[0] % 128 == 64
        assert array.shape >= (rows, columns)
        assert not array.any()
