"""Products of dense nets on a CPU: outputs, slopes of the layer before, and Adam's update.

BLAS libraries choose the order of a sum by the processor, so the last bits of a training would
depend on it. Here every sum runs over its index in order, in fused multiply-adds that are rounded
once. That is all that decides a result: how many sums are made side by side, and where operands
stand, is free, and chosen for the registers at hand.

Weights and Adam's moments are kept in panels, (panels, rows, columns of a panel): as many columns
as two registers hold, one row after the other. So all three products read them in the order in
which they stand. What is multiplied by them is in arrays of ``filled_up``: their rows take an odd
number of cache lines, so that rows do not compete for the same places of a cache, and are filled up
with zeros to a whole number of tiles.
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

#: Rows of a tile, of one or two registers of columns: of a product, of one that is narrow, of a
#: gradient. Arrays are filled up to a multiple of ``TALL`` rows.
ROWS, TALL, OF_GRADIENT = 5, 10, 6
#: Terms of sums that are added before the next columns' turn, so that they stay in the cache.
TERMS = 256
#: The same in panels, where sums run over columns.
PANELS = 8
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
    return _zeros((-(-rows // TALL) * TALL, width), dtype)


def copied(array: npt.NDArray[np.generic], dtype: npt.DTypeLike) -> FloatArray:
    """A matrix in such an array."""
    rows, columns = array.shape
    copy = filled_up(rows, columns, dtype)
    copy[:rows, :columns] = array
    return copy


def panels(number: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> FloatArray:
    """Zeros for so many matrices of a shape (rows, columns), in panels.

    They are in one piece of memory, for which the system takes large pages if it is large enough.

    Returns:
        (number, panels, at least rows, columns of a panel).
    """
    (rows, columns), width = shape, 2 * REGISTER // np.dtype(dtype).itemsize
    height = -(-rows // TALL) * TALL | 1  # odd, so that panels do not compete for places either
    return _zeros((number, -(-columns // width), height, width), dtype)


def put_into_panels(panels: FloatArray, matrix: npt.NDArray[np.generic]) -> None:
    """Write a (rows, columns) matrix to panels; what fills them up stays as it is."""
    width, (rows, columns) = panels.shape[2], matrix.shape
    for panel, first in zip(panels, range(0, columns, width)):
        some = matrix[:, first : first + width]
        panel[:rows, : some.shape[1]] = some


def from_panels(panels: FloatArray, rows: int, columns: int) -> FloatArray:
    """The (rows, columns) matrix in panels."""
    beside = panels[:, :rows].transpose(1, 0, 2)
    return beside.reshape(rows, -1)[:, :columns].copy()


def _zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> FloatArray:
    size, number = np.dtype(dtype).itemsize, int(np.prod(shape))
    numbers = np.zeros(number + _LINE // size, dtype)
    first = -numbers.ctypes.data % _LINE // size
    return numbers[first : first + number].reshape(shape)


def times(x: npt.NDArray[np.generic], weight: FloatArray) -> FloatArray:
    """The product x w, in the precision of w.

    Args:
        x: (n, inputs).
        weight: (inputs, outputs).
    Returns:
        (n, outputs).
    """
    inputs, outputs = weight.shape
    (w,) = panels(1, weight.shape, weight.dtype)
    put_into_panels(w, weight)
    y = np.empty((len(x), outputs), weight.dtype)
    rows = filled_up(CHUNK, inputs, weight.dtype)
    results = filled_up(CHUNK, outputs, weight.dtype)
    for start in range(0, len(x), CHUNK):
        some = x[start : start + CHUNK]
        rows[: len(some), :inputs] = some
        products(rows, w, results, len(some), inputs)
        y[start : start + CHUNK] = results[: len(some), :outputs]
    return y


@kernel
def products(x, w, y, n, inputs):  # type: ignore[no-untyped-def]
    """``y = x w``, (n, inputs) times (inputs, outputs).

    Args:
        x: filled up.
        w: in panels.
        y: filled up, where they go; rows and columns beyond them become 0 or stay as they are.
        n: rows.
        inputs: terms of a sum.
    """
    a, b, c = x.reshape(-1), w.reshape(-1), y.reshape(-1)
    of_x, of_y = x.shape[1], y.shape[1]
    of_panel, width = w.shape[1] * w.shape[2], w.shape[2]
    for k in range(0, inputs, TERMS):
        terms = min(TERMS, inputs - k)
        for panel in range(w.shape[0]):
            for i in range(0, n, ROWS):
                _wide_tile(
                    a, i * of_x + k, of_x, 0, b, panel * of_panel + k * width, width, 1, terms,
                    c, i * of_y + panel * width, of_y, k > 0,
                )  # fmt: skip


@kernel
def products_before(slopes, w, before, n, inputs, outputs, turned, turned_before):  # type: ignore[no-untyped-def]
    """``before = slopes wᵀ``: slopes with respect to a layer's outputs become those to its inputs.

    Args:
        slopes: filled up, (n, outputs).
        w: in panels, (inputs, outputs).
        before: filled up, (n, inputs), where they go.
        n: rows.
        inputs: columns of ``before``.
        outputs: terms of a sum.
        turned: filled up, a place for (outputs, n) numbers.
        turned_before: filled up, a place for (inputs, n) numbers.
    """
    width = w.shape[2]
    for j in range(outputs):
        for k in range(n):
            turned[j, k] = slopes[k, j]
    whole = outputs // width
    for panel in range(0, whole, PANELS):
        some = min(PANELS, whole - panel)
        _products_with_panels(w, panel, some, width, turned, turned_before, n, inputs)
    if whole * width < outputs:  # of the last panel no more than there is: 0 times x is not nothing
        _products_with_panels(
            w, whole, 1, outputs - whole * width, turned, turned_before, n, inputs
        )
    for k in range(n):
        for i in range(inputs):
            before[k, i] = turned_before[i, k]


@kernel
def _products_with_panels(w, panel, some, columns, turned, turned_before, n, inputs):  # type: ignore[no-untyped-def]
    """Add to ``turned_before`` the terms of some panels, so many columns of each."""
    one = REGISTER // w.itemsize
    a, b, c = w.reshape(-1), turned.reshape(-1), turned_before.reshape(-1)
    of_w, of_b, of_c = w.shape[2], turned.shape[1], turned_before.shape[1]
    jump = w.shape[1] * of_w - columns
    start, from_row, go_on = panel * w.shape[1] * of_w, panel * of_w * of_b, panel > 0
    k = 0
    while k < n:
        if k + one < n:
            for i in range(0, inputs, ROWS):
                _wide_tile(
                    a, start + i * of_w, of_w, jump, b, from_row + k, of_b, some, columns,
                    c, i * of_c + k, of_c, go_on,
                )  # fmt: skip
            k += 2 * one
        else:
            for i in range(0, inputs, TALL):
                _tall_tile(
                    a, start + i * of_w, of_w, jump, b, from_row + k, of_b, some, columns,
                    c, i * of_c + k, of_c, go_on,
                )  # fmt: skip
            k += one


@kernel
def update(w, m, v, x, slopes, n, inputs, step_size, constants):  # type: ignore[no-untyped-def]
    """Adam's step (``training.adam``) with the gradient ``xᵀ slopes``, in place.

    Args:
        w: in panels, (inputs, outputs) weights.
        m: the same of Adam's mean of the gradient.
        v: the same of Adam's mean of its square.
        x: filled up, (n, inputs).
        slopes: filled up, (n, outputs).
        n: rows.
        inputs: see above.
        step_size: (2,) a and e of the step.
        constants: the numbers that all steps share.
    """
    a, b, width = x.reshape(-1), slopes.reshape(-1), w.shape[2]
    gradient = np.empty(OF_GRADIENT * width, w.dtype)
    packed = np.empty(n * width, w.dtype)
    flat = w.reshape(-1), m.reshape(-1), v.reshape(-1)
    for panel in range(w.shape[0]):
        _gather(b, panel * width, slopes.shape[1], n, packed)
        at = panel * w.shape[1] * width
        for i in range(0, inputs, OF_GRADIENT):
            _gradient_tile(a, i, x.shape[1], packed, width, n, gradient)
            rows = min(OF_GRADIENT, inputs - i)
            _adam(flat, at + i * width, gradient, rows * width, step_size, constants)


@kernel
def _gather(b, at, stride, rows, panel):  # type: ignore[no-untyped-def]
    """Copy two registers of columns, from ``b[at]`` on, of so many rows to one place."""
    one = REGISTER // b.itemsize
    for k in range(rows):
        store(panel, 2 * one * k, load_register(b, at))
        store(panel, 2 * one * k + one, load_register(b, at + one))
        at += stride


@kernel
def _wide_tile(a, at, of_a, jump, b, bt, of_b, some, n, c, ct, of_c, go_on):  # type: ignore[no-untyped-def]
    """``ROWS`` rows of a product, two registers of columns: Σ_k a[row, k] b[k, column].

    Args:
        a: in which a[0, 0] is ``a[at]`` and a row takes ``of_a`` numbers.
        at: see above.
        of_a: see above.
        jump: numbers of ``a`` that are passed over after every ``n``.
        b: the same for ``bt`` and ``of_b``.
        bt: see above.
        of_b: see above.
        some: number of times that ``n`` terms are added.
        n: see above.
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
    for _ in range(some):
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
        at += jump
    _store_both(c, ct, l0, r0)
    _store_both(c, ct + of_c, l1, r1)
    _store_both(c, ct + 2 * of_c, l2, r2)
    _store_both(c, ct + 3 * of_c, l3, r3)
    _store_both(c, ct + 4 * of_c, l4, r4)


@kernel
def _tall_tile(a, at, of_a, jump, b, bt, of_b, some, n, c, ct, of_c, go_on):  # type: ignore[no-untyped-def]
    """``TALL`` rows of a product, one register of columns; see ``_wide_tile``."""
    zero = splat_register(a.dtype.type(0))
    s0, s1, s2, s3, s4 = zero, zero, zero, zero, zero
    s5, s6, s7, s8, s9 = zero, zero, zero, zero, zero
    if go_on:
        s0, s1 = load_register(c, ct), load_register(c, ct + of_c)
        s2, s3 = load_register(c, ct + 2 * of_c), load_register(c, ct + 3 * of_c)
        s4, s5 = load_register(c, ct + 4 * of_c), load_register(c, ct + 5 * of_c)
        s6, s7 = load_register(c, ct + 6 * of_c), load_register(c, ct + 7 * of_c)
        s8, s9 = load_register(c, ct + 8 * of_c), load_register(c, ct + 9 * of_c)
    for _ in range(some):
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
        at += jump
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
def _gradient_tile(a, at, of_a, b, width, n, gradient):  # type: ignore[no-untyped-def]
    """``OF_GRADIENT`` rows of a panel: Σ_k a[k, row] b[k, column], a[0, 0] being ``a[at]``."""
    one, bt = REGISTER // a.itemsize, 0
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
        at, bt = at + of_a, bt + width
    _store_both(gradient, 0, l0, r0)
    _store_both(gradient, width, l1, r1)
    _store_both(gradient, 2 * width, l2, r2)
    _store_both(gradient, 3 * width, l3, r3)
    _store_both(gradient, 4 * width, l4, r4)
    _store_both(gradient, 5 * width, l5, r5)


@kernel
def _store_both(c, ct, left, right):  # type: ignore[no-untyped-def]
    store(c, ct, left)
    store(c, ct + REGISTER // c.itemsize, right)


@kernel
def _adam(flat, at, gradient, n, step_size, constants):  # type: ignore[no-untyped-def]
    """The step of ``n`` weights from ``w[at]`` on."""
    w, m, v = flat
    beta1, rest1 = splat_register(constants.beta1), splat_register(constants.one_minus_beta1)
    beta2, rest2 = splat_register(constants.beta2), splat_register(constants.one_minus_beta2)
    l1, tiny = splat_register(constants.l1), splat_register(constants.tiny)
    a, e = splat_register(step_size[0]), splat_register(step_size[1])
    one = REGISTER // w.itemsize
    for gt in range(0, n, one):
        weights = load_register(w, at)
        g = load_register(gradient, gt) + signed(weights, l1)
        mean = flushed(beta1 * load_register(m, at) + rest1 * g, tiny)
        square = flushed(beta2 * load_register(v, at) + rest2 * (g * g), tiny)
        store(m, at, mean)
        store(v, at, square)
        store(w, at, weights - a * mean / (square_root(square) + e))
        at += one
