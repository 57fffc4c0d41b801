"""Couplings between sublattices, forwards and backwards.

For every changed site, c the fields that it sees, and Σ/√n of all n fields of the other sublattice:

    h₁ = tanh(W₁ c),  h₂ = tanh(W₂ h₁)                   odd in c
    a, b = the first two rows of W₃ times h₂             odd: shifts
    numbers of the spline = the other rows of W₃ times h₂² + numbers of its own    even
    y = spline(x + a) + b

Fields are (sites LANES,) float32: site i of the samples in lanes 0 … 31 at LANES i. Products are
fused multiply-adds, sums in the order of the code.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.architecture import INPUTS, SHIFTS
from coarsegrain.flows.kernels.spline import knots, spline_inverse, spline_value
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, multiply_add, splat, store
from coarsegrain.vector_math import hyperbolic_tangent

F32 = np.float32
Weights = npt.NDArray[np.float32]


class Coupling(NamedTuple):
    """Weights of a coupling, as the kernels take them, and its sites.

    Attributes:
        first: (hidden, 13).
        second: (hidden, hidden).
        last: (2 + numbers, hidden).
        spline: (numbers,).
        changed: (sites,).
        seen: (sites, 12).
        others: (sites,).
    """

    first: Weights
    second: Weights
    last: Weights
    spline: Weights
    changed: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]


@kernel
def product(weights, rows_from, rows_to, inputs, at, outputs, to):  # type: ignore[no-untyped-def]
    """``outputs[j] = Σ_k weights[j, k] inputs[k]`` for rows of vectors, four at a time."""
    K = weights.shape[1]
    zero = splat(F32(0))
    j = rows_from
    while j + 4 <= rows_to:
        s0, s1, s2, s3 = zero, zero, zero, zero
        w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        for k in range(K):
            v = load(inputs, at + LANES * k)
            s0 = multiply_add(splat(w0[k]), v, s0)
            s1 = multiply_add(splat(w1[k]), v, s1)
            s2 = multiply_add(splat(w2[k]), v, s2)
            s3 = multiply_add(splat(w3[k]), v, s3)
        place = to + LANES * (j - rows_from)
        store(outputs, place, s0)
        store(outputs, place + LANES, s1)
        store(outputs, place + 2 * LANES, s2)
        store(outputs, place + 3 * LANES, s3)
        j += 4
    while j < rows_to:
        s0, w0 = zero, weights[j]
        for k in range(K):
            s0 = multiply_add(splat(w0[k]), load(inputs, at + LANES * k), s0)
        store(outputs, to + LANES * (j - rows_from), s0)
        j += 1


@kernel
def mean_of_others(coupling, x):  # type: ignore[no-untyped-def]
    """Σ/√n of the n fields of the other sublattice."""
    sums = splat(F32(0))
    for other in coupling.others:
        sums = sums + load(x, LANES * other)
    return sums * splat(F32(1 / math.sqrt(len(coupling.others))))


@kernel
def net(coupling, x, mean, site, c, h1, h2, squares, out, p):  # type: ignore[no-untyped-def]
    """Hidden units and outputs of the net of one changed site, at place p of the arrays."""
    H, outputs = coupling.second.shape[0], coupling.last.shape[0]
    seen = coupling.seen[site]
    for k in range(len(seen)):
        store(c, LANES * (INPUTS * p + k), load(x, LANES * seen[k]))
    store(c, LANES * (INPUTS * p + len(seen)), mean)
    of_hidden, of_output = LANES * H * p, LANES * outputs * p
    product(coupling.first, 0, H, c, LANES * INPUTS * p, h1, of_hidden)
    for k in range(H):
        at = of_hidden + LANES * k
        store(h1, at, hyperbolic_tangent(load(h1, at)))
    product(coupling.second, 0, H, h1, of_hidden, h2, of_hidden)
    for k in range(H):
        at = of_hidden + LANES * k
        value = hyperbolic_tangent(load(h2, at))
        store(h2, at, value)
        store(squares, at, value * value)
    product(coupling.last, 0, SHIFTS, h2, of_hidden, out, of_output)
    numbers = of_output + LANES * SHIFTS
    product(coupling.last, SHIFTS, outputs, squares, of_hidden, out, numbers)
    for k in range(outputs - SHIFTS):
        at = numbers + LANES * k
        store(out, at, load(out, at) + splat(coupling.spline[k]))


@kernel
def workspace(coupling, places):  # type: ignore[no-untyped-def]
    """Arrays for the nets of so many sites: c, h1, h2, squares, out; and knots of one spline."""
    H, outputs = coupling.second.shape[0], coupling.last.shape[0]
    return (
        np.empty(places * INPUTS * LANES, F32),
        np.empty(places * H * LANES, F32),
        np.empty(places * H * LANES, F32),
        np.empty(places * H * LANES, F32),
        np.empty(places * outputs * LANES, F32),
        np.empty((outputs - SHIFTS) * LANES, F32),
    )


@kernel
def couple(coupling, x, kept):  # type: ignore[no-untyped-def]
    """Change the fields of one sublattice, from latent variables to fields.

    Args:
        coupling: Coupling.
        x: (N LANES,) changed in place.
        kept: (sites LANES,) to be filled: the changed fields as they were.
    Returns:
        ln |dy/dx|, a vector.
    """
    c, h1, h2, squares, out, values = workspace(coupling, 1)
    bins = len(coupling.spline) // 3
    mean, log_slope = mean_of_others(coupling, x), splat(F32(0))
    for site in range(len(coupling.changed)):
        net(coupling, x, mean, site, c, h1, h2, squares, out, 0)
        knots(out[LANES * SHIFTS :], bins, values)
        at = LANES * coupling.changed[site]
        before = load(x, at)
        store(kept, LANES * site, before)
        y, slope = spline_value(before + load(out, 0), values, bins)
        store(x, at, y + load(out, LANES))
        log_slope = log_slope + slope
    return log_slope


@kernel
def uncouple(coupling, x):  # type: ignore[no-untyped-def]
    """The inverse of ``couple``; returns its ln |dy/dx|, a vector."""
    c, h1, h2, squares, out, values = workspace(coupling, 1)
    bins = len(coupling.spline) // 3
    mean, log_slope = mean_of_others(coupling, x), splat(F32(0))
    for site in range(len(coupling.changed)):
        net(coupling, x, mean, site, c, h1, h2, squares, out, 0)
        knots(out[LANES * SHIFTS :], bins, values)
        at = LANES * coupling.changed[site]
        before, slope = spline_inverse(load(x, at) - load(out, LANES), values, bins)
        store(x, at, before - load(out, 0))
        log_slope = log_slope + slope
    return log_slope


@kernel
def couple_all(coupling, x, kept, log_slope):  # type: ignore[no-untyped-def]
    """``couple`` for all blocks of samples.

    Args:
        coupling: Coupling.
        x: (blocks, N LANES) changed in place.
        kept: (blocks, sites LANES) to be filled.
        log_slope: (blocks, LANES) float32, added to.
    """
    for block in range(len(x)):
        found = couple(coupling, x[block], kept[block])
        store(log_slope[block], 0, load(log_slope[block], 0) + found)


@kernel
def uncouple_all(coupling, x, log_slope):  # type: ignore[no-untyped-def]
    """``uncouple`` for all blocks of samples; arguments as above."""
    for block in range(len(x)):
        found = uncouple(coupling, x[block])
        store(log_slope[block], 0, load(log_slope[block], 0) + found)
