"""Matrix products with few rows: those of a small batch, for processors with AVX-512.

A batch of 10 is 10 rows times a layer's weights, whose every number is then used 10 times. BLAS
libraries are made for products that use them more often, and rearrange the weights first. Here
they are read once, in their order, five lattices at a time, and the results stay in registers.
The product that gives the gradient is not written anywhere: Adam's update reads it from registers.

Sums are fused multiply-adds, so their last bits are those of no BLAS.
"""

import numpy as np
from llvmlite import binding

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    flushed,
    load,
    multiply_add,
    signed,
    splat,
    square_root,
    store,
    total,
)

#: Lattices that are worked on at once: batches are filled up with zeros to a multiple.
GROUP = 5
#: Rows and columns of weights that are worked on at once.
ROWS, COLUMNS = 2, 2 * LANES
#: Above these batches BLAS is as fast or faster (measured, docs/lab-notes/training.md).
LARGEST_BATCH, LARGEST_BATCH_BACK, LARGEST_BATCH_OF_UPDATE = 128, 32, 16


def is_small_batch(batch: int, inputs: int, outputs: int, dtype: np.dtype[np.floating]) -> bool:
    """Whether these kernels can be used for a layer, and are the faster way here.

    In float64 the results of five lattices are too many for the registers.
    """
    fits = (
        dtype == np.float32
        and inputs % ROWS == 0
        and outputs % COLUMNS == 0
        and batch <= LARGEST_BATCH
    )
    return fits and bool(binding.get_host_cpu_features().get("avx512f"))


@kernel
def products(x, w, y):  # type: ignore[no-untyped-def]
    """``y = x w``.

    Args:
        x: (n, inputs), n a multiple of ``GROUP``.
        w: (inputs, outputs).
        y: (n, outputs) where they go.
    """
    zero = splat(w.dtype.type(0))
    for j in range(0, w.shape[1], COLUMNS):
        for b in range(0, len(x), GROUP):
            l0, l1, l2, l3, l4 = zero, zero, zero, zero, zero  # columns on the left, by lattice
            r0, r1, r2, r3, r4 = zero, zero, zero, zero, zero
            for i in range(len(w)):
                left, right = load(w[i], j), load(w[i], j + LANES)
                a = splat(x[b, i])
                l0, r0 = multiply_add(a, left, l0), multiply_add(a, right, r0)
                a = splat(x[b + 1, i])
                l1, r1 = multiply_add(a, left, l1), multiply_add(a, right, r1)
                a = splat(x[b + 2, i])
                l2, r2 = multiply_add(a, left, l2), multiply_add(a, right, r2)
                a = splat(x[b + 3, i])
                l3, r3 = multiply_add(a, left, l3), multiply_add(a, right, r3)
                a = splat(x[b + 4, i])
                l4, r4 = multiply_add(a, left, l4), multiply_add(a, right, r4)
            _store_both(y[b], j, l0, r0)
            _store_both(y[b + 1], j, l1, r1)
            _store_both(y[b + 2], j, l2, r2)
            _store_both(y[b + 3], j, l3, r3)
            _store_both(y[b + 4], j, l4, r4)


@kernel
def _store_both(row, j, left, right):  # type: ignore[no-untyped-def]
    store(row, j, left)
    store(row, j + LANES, right)


@kernel
def transposed_products(slopes, w, before):  # type: ignore[no-untyped-def]
    """``before = slopes wᵀ``: slopes with respect to a layer's outputs become those to its inputs.

    Args:
        slopes: (n, outputs), n a multiple of ``GROUP``.
        w: (inputs, outputs).
        before: (n, inputs) where they go.
    """
    zero = splat(w.dtype.type(0))
    for i in range(0, len(w), ROWS):
        for b in range(0, len(slopes), GROUP):
            u0, u1, u2, u3, u4 = zero, zero, zero, zero, zero  # the upper row, by lattice
            d0, d1, d2, d3, d4 = zero, zero, zero, zero, zero
            for j in range(0, w.shape[1], LANES):
                upper, lower = load(w[i], j), load(w[i + 1], j)
                a = load(slopes[b], j)
                u0, d0 = multiply_add(a, upper, u0), multiply_add(a, lower, d0)
                a = load(slopes[b + 1], j)
                u1, d1 = multiply_add(a, upper, u1), multiply_add(a, lower, d1)
                a = load(slopes[b + 2], j)
                u2, d2 = multiply_add(a, upper, u2), multiply_add(a, lower, d2)
                a = load(slopes[b + 3], j)
                u3, d3 = multiply_add(a, upper, u3), multiply_add(a, lower, d3)
                a = load(slopes[b + 4], j)
                u4, d4 = multiply_add(a, upper, u4), multiply_add(a, lower, d4)
            before[b, i], before[b, i + 1] = total(u0), total(d0)
            before[b + 1, i], before[b + 1, i + 1] = total(u1), total(d1)
            before[b + 2, i], before[b + 2, i + 1] = total(u2), total(d2)
            before[b + 3, i], before[b + 3, i + 1] = total(u3), total(d3)
            before[b + 4, i], before[b + 4, i + 1] = total(u4), total(d4)


@kernel
def update(w, m, v, x, slopes, step_size, constants):  # type: ignore[no-untyped-def]
    """Adam's step (``adam``) with the gradient ``xᵀ slopes``, in place.

    Args:
        w: (inputs, outputs) weights.
        m: (inputs, outputs) Adam's mean of the gradient.
        v: (inputs, outputs) Adam's mean of its square.
        x: (n, inputs).
        slopes: (n, outputs).
        step_size: (2,) a and e of the step.
        constants: the numbers that all steps share.
    """
    zero = splat(w.dtype.type(0))
    for i in range(0, len(w), ROWS):
        for j in range(0, w.shape[1], LANES):
            upper, lower = zero, zero
            for b in range(len(x)):
                slope = load(slopes[b], j)
                upper = multiply_add(splat(x[b, i]), slope, upper)
                lower = multiply_add(splat(x[b, i + 1]), slope, lower)
            _adam(w[i], m[i], v[i], j, upper, step_size, constants)
            _adam(w[i + 1], m[i + 1], v[i + 1], j, lower, step_size, constants)


@kernel
def _adam(w, m, v, j, gradient, step_size, constants):  # type: ignore[no-untyped-def]
    weights = load(w, j)
    g = gradient + signed(weights, splat(constants.l1))
    mean = splat(constants.beta1) * load(m, j) + splat(constants.one_minus_beta1) * g
    square = splat(constants.beta2) * load(v, j) + splat(constants.one_minus_beta2) * (g * g)
    mean, square = flushed(mean, splat(constants.tiny)), flushed(square, splat(constants.tiny))
    store(m, j, mean)
    store(v, j, square)
    store(w, j, weights - splat(step_size[0]) * mean / (square_root(square) + splat(step_size[1])))
