"""Products of dense nets on a CPU: outputs, slopes of the layer before, and Adam's update.

BLAS libraries choose the order of a sum by the processor, so the last bits of a training would
depend on it. Here every sum runs over its index in order, in fused multiply-adds that are rounded
once. That is all that decides a result: how many sums are made side by side, and where operands
stand, is free, and chosen for the registers at hand.

Arrays are those of ``filled_up``: their rows take an odd number of cache lines, so that rows do not
compete for the same places of a cache, and are filled up with zeros to a whole number of tiles.
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    REGISTER,
    broadcast_register,
    flushed,
    load_register,
    multiply_add,
    signed,
    splat_register,
    square_root,
    store,
)

FloatArray = npt.NDArray[np.floating]

#: Rows of a tile: of the left factor, times one or two registers of columns. Arrays have at least
#: ``TALL`` rows; where rows are not a multiple, the last tile makes some of them a second time.
ROWS, TALL, OF_GRADIENT = 5, 10, 6
#: Rows from which on columns of the right factor are copied to one place before they are used.
MANY = 40
#: Terms of sums that are added before the next columns' turn: for few rows, and for many.
FEW_TERMS, MANY_TERMS = 16, 256
#: Rows that pass through a layer at once, so that they stay in the cache.
CHUNK = 120
_LINE = 64


def filled_up(rows: int, columns: int, dtype: npt.DTypeLike) -> FloatArray:
    """Zeros for (rows, columns) numbers and what fills them up.

    Returns:
        (at least rows, at least columns) in C order; its first number begins a cache line.
    """
    size = np.dtype(dtype).itemsize
    width = _LINE // size * (-(-columns // LANES) * LANES * size // _LINE | 1)
    height = max(TALL, -(-rows // ROWS) * ROWS)
    numbers = np.zeros(height * width + _LINE // size, dtype)
    first = -numbers.ctypes.data % _LINE // size
    return numbers[first : first + height * width].reshape(height, width)


def copied(array: npt.NDArray[np.generic], dtype: npt.DTypeLike) -> FloatArray:
    """A matrix in such an array."""
    rows, columns = array.shape
    copy = filled_up(rows, columns, dtype)
    copy[:rows, :columns] = array
    return copy


def times(x: npt.NDArray[np.generic], weight: FloatArray) -> FloatArray:
    """The product x w, in the precision of w.

    Args:
        x: (n, inputs).
        weight: (inputs, outputs).
    Returns:
        (n, outputs).
    """
    w, outputs = copied(weight, weight.dtype), weight.shape[1]
    y = np.empty((len(x), outputs), weight.dtype)
    rows = filled_up(CHUNK, x.shape[1], weight.dtype)
    results = filled_up(CHUNK, outputs, weight.dtype)
    for start in range(0, len(x), CHUNK):
        some = x[start : start + CHUNK]
        rows[: len(some), : x.shape[1]] = some
        products(rows, w, results, len(some), len(weight), outputs)
        y[start : start + CHUNK] = results[: len(some), :outputs]
    return y


@kernel
def products(x, w, y, n, inputs, outputs):  # type: ignore[no-untyped-def]
    """``y = x w``, (n, inputs) times (inputs, outputs).

    Args:
        x: filled up.
        w: filled up.
        y: filled up, where they go; rows and columns beyond them become 0 or stay as they are.
        n: rows.
        inputs: terms of a sum.
        outputs: columns.
    """
    two = 2 * (REGISTER // w.itemsize)
    a, b, c = x.reshape(-1), w.reshape(-1), y.reshape(-1)
    of_x, of_w, of_y = x.shape[1], w.shape[1], y.shape[1]
    block = FEW_TERMS if n < MANY else MANY_TERMS
    panel = np.empty(block * two, w.dtype)
    for k in range(0, inputs, block):
        terms = min(block, inputs - k)
        for j in range(0, outputs, two):
            if n < MANY:  # weights are read in their order, as far as it goes
                source, at, stride = b, k * of_w + j, of_w
            else:
                _gather(b, k * of_w + j, of_w, terms, panel)
                source, at, stride = panel, 0, two
            for i in range(0, n, ROWS):
                _wide_tile(
                    a, i * of_x + k, of_x, source, at, stride, terms, c, i * of_y + j, of_y, k > 0
                )


@kernel
def products_before(slopes, w, before, n, inputs, outputs, turned, turned_before):  # type: ignore[no-untyped-def]
    """``before = slopes wᵀ``: slopes with respect to a layer's outputs become those to its inputs.

    Args:
        slopes: filled up, (n, outputs).
        w: filled up, (inputs, outputs).
        before: filled up, (n, inputs), where they go.
        n: rows.
        inputs: columns of ``before``.
        outputs: terms of a sum.
        turned: filled up, a place for (outputs, n) numbers.
        turned_before: filled up, a place for (inputs, n) numbers.
    """
    one = REGISTER // w.itemsize
    a, b, c = w.reshape(-1), turned.reshape(-1), turned_before.reshape(-1)
    of_w, of_b, of_c = w.shape[1], turned.shape[1], turned_before.shape[1]
    for j in range(outputs):
        for k in range(n):
            turned[j, k] = slopes[k, j]
    k = 0
    while k < n:
        if k + one < n:
            for first in range(0, inputs, ROWS):
                i = max(0, min(first, inputs - ROWS))
                _wide_tile(a, i * of_w, of_w, b, k, of_b, outputs, c, i * of_c + k, of_c, False)
            k += 2 * one
        else:
            for first in range(0, inputs, TALL):
                i = max(0, min(first, inputs - TALL))
                _tall_tile(a, i * of_w, of_w, b, k, of_b, outputs, c, i * of_c + k, of_c)
            k += one
    for k in range(n):
        for i in range(inputs):
            before[k, i] = turned_before[i, k]


@kernel
def update(w, m, v, x, slopes, n, inputs, outputs, step_size, constants):  # type: ignore[no-untyped-def]
    """Adam's step (``training.adam``) with the gradient ``xᵀ slopes``, in place.

    Args:
        w: filled up, (inputs, outputs) weights.
        m: the same of Adam's mean of the gradient.
        v: the same of Adam's mean of its square.
        x: filled up, (n, inputs).
        slopes: filled up, (n, outputs).
        n: rows.
        inputs: see above.
        outputs: see above.
        step_size: (2,) a and e of the step.
        constants: the numbers that all steps share.
    """
    one = REGISTER // w.itemsize
    two = 2 * one
    a, b = x.reshape(-1), slopes.reshape(-1)
    columns = -(-outputs // two) * two
    gradient = np.empty(OF_GRADIENT * columns, w.dtype)
    packed = np.empty(n * columns, w.dtype)
    for j in range(0, outputs, two):
        _gather(b, j, slopes.shape[1], n, packed[n * j :])
    flat = w.reshape(-1), m.reshape(-1), v.reshape(-1)
    done = 0
    while done < inputs:
        first = max(0, min(done, inputs - OF_GRADIENT))
        for j in range(0, outputs, two):
            _gradient_tile(a, first, x.shape[1], packed, n * j, two, n, gradient, j, columns)
        for i in range(done, min(done + OF_GRADIENT, inputs)):
            at, gt = i * w.shape[1], (i - first) * columns
            _adam(flat, at, gradient, gt, columns, step_size, constants)
        done += OF_GRADIENT


@kernel
def _gather(b, at, stride, rows, panel):  # type: ignore[no-untyped-def]
    """Copy two registers of columns, from ``b[at]`` on, of so many rows to one place."""
    one = REGISTER // b.itemsize
    for k in range(rows):
        store(panel, 2 * one * k, load_register(b, at))
        store(panel, 2 * one * k + one, load_register(b, at + one))
        at += stride


@kernel
def _wide_tile(a, at, of_a, b, bt, of_b, n, c, ct, of_c, go_on):  # type: ignore[no-untyped-def]
    """``ROWS`` rows of a product, two registers of columns: Σ_k a[row, k] b[k, column].

    Args:
        a: in which a[0, 0] is ``a[at]`` and a row takes ``of_a`` numbers.
        at: see above.
        of_a: see above.
        b: the same for ``bt`` and ``of_b``.
        bt: see above.
        of_b: see above.
        n: number of k.
        c: the same for ``ct`` and ``of_c``: where the sums go.
        ct: see above.
        of_c: see above.
        go_on: whether the terms are added to what is there.
    """
    one = REGISTER // a.itemsize
    zero = splat_register(a.dtype.type(0))
    l0, l1, l2, l3, l4 = zero, zero, zero, zero, zero  # columns on the left, by row
    r0, r1, r2, r3, r4 = zero, zero, zero, zero, zero
    if go_on:
        l0, r0 = load_register(c, ct), load_register(c, ct + one)
        l1, r1 = load_register(c, ct + of_c), load_register(c, ct + of_c + one)
        l2, r2 = load_register(c, ct + 2 * of_c), load_register(c, ct + 2 * of_c + one)
        l3, r3 = load_register(c, ct + 3 * of_c), load_register(c, ct + 3 * of_c + one)
        l4, r4 = load_register(c, ct + 4 * of_c), load_register(c, ct + 4 * of_c + one)
    for _ in range(n):
        left, right = load_register(b, bt), load_register(b, bt + one)
        x = broadcast_register(a, at)
        l0, r0 = multiply_add(x, left, l0), multiply_add(x, right, r0)
        x = broadcast_register(a, at + of_a)
        l1, r1 = multiply_add(x, left, l1), multiply_add(x, right, r1)
        x = broadcast_register(a, at + 2 * of_a)
        l2, r2 = multiply_add(x, left, l2), multiply_add(x, right, r2)
        x = broadcast_register(a, at + 3 * of_a)
        l3, r3 = multiply_add(x, left, l3), multiply_add(x, right, r3)
        x = broadcast_register(a, at + 4 * of_a)
        l4, r4 = multiply_add(x, left, l4), multiply_add(x, right, r4)
        at, bt = at + 1, bt + of_b
    _store_both(c, ct, one, l0, r0)
    _store_both(c, ct + of_c, one, l1, r1)
    _store_both(c, ct + 2 * of_c, one, l2, r2)
    _store_both(c, ct + 3 * of_c, one, l3, r3)
    _store_both(c, ct + 4 * of_c, one, l4, r4)


@kernel
def _tall_tile(a, at, of_a, b, bt, of_b, n, c, ct, of_c):  # type: ignore[no-untyped-def]
    """``TALL`` rows of a product, one register of columns; see ``_wide_tile``."""
    zero = splat_register(a.dtype.type(0))
    s0, s1, s2, s3, s4 = zero, zero, zero, zero, zero
    s5, s6, s7, s8, s9 = zero, zero, zero, zero, zero
    for _ in range(n):
        y = load_register(b, bt)
        s0 = multiply_add(broadcast_register(a, at), y, s0)
        s1 = multiply_add(broadcast_register(a, at + of_a), y, s1)
        s2 = multiply_add(broadcast_register(a, at + 2 * of_a), y, s2)
        s3 = multiply_add(broadcast_register(a, at + 3 * of_a), y, s3)
        s4 = multiply_add(broadcast_register(a, at + 4 * of_a), y, s4)
        s5 = multiply_add(broadcast_register(a, at + 5 * of_a), y, s5)
        s6 = multiply_add(broadcast_register(a, at + 6 * of_a), y, s6)
        s7 = multiply_add(broadcast_register(a, at + 7 * of_a), y, s7)
        s8 = multiply_add(broadcast_register(a, at + 8 * of_a), y, s8)
        s9 = multiply_add(broadcast_register(a, at + 9 * of_a), y, s9)
        at, bt = at + 1, bt + of_b
    store(c, ct, s0)
    store(c, ct + of_c, s1)
    store(c, ct + 2 * of_c, s2)
    store(c, ct + 3 * of_c, s3)
    store(c, ct + 4 * of_c, s4)
    store(c, ct + 5 * of_c, s5)
    store(c, ct + 6 * of_c, s6)
    store(c, ct + 7 * of_c, s7)
    store(c, ct + 8 * of_c, s8)
    store(c, ct + 9 * of_c, s9)


@kernel
def _gradient_tile(a, at, of_a, b, bt, of_b, n, c, ct, of_c):  # type: ignore[no-untyped-def]
    """``OF_GRADIENT`` rows, two registers of columns: Σ_k a[k, row] b[k, column]; see above."""
    one = REGISTER // a.itemsize
    zero = splat_register(a.dtype.type(0))
    l0, l1, l2, l3, l4, l5 = zero, zero, zero, zero, zero, zero
    r0, r1, r2, r3, r4, r5 = zero, zero, zero, zero, zero, zero
    for _ in range(n):
        left, right = load_register(b, bt), load_register(b, bt + one)
        x = broadcast_register(a, at)
        l0, r0 = multiply_add(x, left, l0), multiply_add(x, right, r0)
        x = broadcast_register(a, at + 1)
        l1, r1 = multiply_add(x, left, l1), multiply_add(x, right, r1)
        x = broadcast_register(a, at + 2)
        l2, r2 = multiply_add(x, left, l2), multiply_add(x, right, r2)
        x = broadcast_register(a, at + 3)
        l3, r3 = multiply_add(x, left, l3), multiply_add(x, right, r3)
        x = broadcast_register(a, at + 4)
        l4, r4 = multiply_add(x, left, l4), multiply_add(x, right, r4)
        x = broadcast_register(a, at + 5)
        l5, r5 = multiply_add(x, left, l5), multiply_add(x, right, r5)
        at, bt = at + of_a, bt + of_b
    _store_both(c, ct, one, l0, r0)
    _store_both(c, ct + of_c, one, l1, r1)
    _store_both(c, ct + 2 * of_c, one, l2, r2)
    _store_both(c, ct + 3 * of_c, one, l3, r3)
    _store_both(c, ct + 4 * of_c, one, l4, r4)
    _store_both(c, ct + 5 * of_c, one, l5, r5)


@kernel
def _store_both(c, ct, one, left, right):  # type: ignore[no-untyped-def]
    store(c, ct, left)
    store(c, ct + one, right)


@kernel
def _adam(flat, at, gradient, gt, columns, step_size, constants):  # type: ignore[no-untyped-def]
    """The step of a row of weights, with the gradient from ``gradient[gt]`` on."""
    w, m, v = flat
    beta1, rest1 = splat_register(constants.beta1), splat_register(constants.one_minus_beta1)
    beta2, rest2 = splat_register(constants.beta2), splat_register(constants.one_minus_beta2)
    l1, tiny = splat_register(constants.l1), splat_register(constants.tiny)
    a, e = splat_register(step_size[0]), splat_register(step_size[1])
    for _ in range(0, columns, REGISTER // w.itemsize):
        weights = load_register(w, at)
        g = load_register(gradient, gt) + signed(weights, l1)
        mean = flushed(beta1 * load_register(m, at) + rest1 * g, tiny)
        square = flushed(beta2 * load_register(v, at) + rest2 * (g * g), tiny)
        store(m, at, mean)
        store(v, at, square)
        store(w, at, weights - a * mean / (square_root(square) + e))
        at, gt = at + REGISTER // w.itemsize, gt + REGISTER // w.itemsize
