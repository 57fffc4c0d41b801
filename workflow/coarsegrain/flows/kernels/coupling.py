"""Couplings between sublattices, forwards and backwards.

For every changed site, c the fields that it sees, and Σ/√n of all n fields of the other sublattice:

    h₁ = tanh(W₁ c),  h₂ = tanh(W₂ h₁)                   odd in c
    a, b = the first two rows of W₃ times h₂             odd: shifts
    numbers of the spline = the other rows of W₃ times h₂² + numbers of its own    even
    y = spline(x + a) + b

Fields are (sites LANES,) float32: site i of the samples in lanes 0 … 31 at LANES i. Nets are
computed at CHUNK sites together, which are places 0, 1, … of the arrays.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.architecture import INPUTS, SHIFTS
from coarsegrain.flows.kernels.dense import dense
from coarsegrain.flows.kernels.fused import tangent
from coarsegrain.flows.kernels.spline import knots, spline_inverse, spline_value
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, splat, store

F32 = np.float32
Weights = npt.NDArray[np.float32]
#: Sites whose nets are computed together.
CHUNK = 8


class Coupling(NamedTuple):
    """A coupling, as the kernels take it.

    Attributes:
        hidden: units of both hidden layers.
        numbers: of a spline.
        weights: W₁ (hidden, 13), W₂ (hidden, hidden), W₃ (2 + numbers, hidden) and the spline's
            numbers, one behind the other.
        turned: W₁, W₂, the two rows of W₃ for shifts and the others, each transposed.
        changed: (sites,).
        seen: (sites, 12).
        others: (sites,).
    """

    hidden: int
    numbers: int
    weights: Weights
    turned: Weights
    changed: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]


class Units(NamedTuple):
    """Arrays for the nets of CHUNK sites, and for the knots of one spline.

    Attributes:
        c: (CHUNK 13 LANES,) what sites see.
        h1: (CHUNK hidden LANES,).
        h2: (CHUNK hidden LANES,).
        squares: (CHUNK hidden LANES,) of h2.
        shifts: (CHUNK 2 LANES,).
        numbers: (CHUNK numbers LANES,) of splines.
        knots: (numbers LANES,).
    """

    c: Weights
    h1: Weights
    h2: Weights
    squares: Weights
    shifts: Weights
    numbers: Weights
    knots: Weights


@kernel
def for_chunk(units):  # type: ignore[no-untyped-def]
    """An array for so many numbers of CHUNK sites."""
    return np.empty(CHUNK * units * LANES, F32)


@kernel
def units(coupling):  # type: ignore[no-untyped-def]
    """New ``Units`` of a coupling."""
    H, n = coupling.hidden, coupling.numbers
    return Units(
        for_chunk(INPUTS), for_chunk(H), for_chunk(H), for_chunk(H), for_chunk(SHIFTS),
        for_chunk(n), np.empty(n * LANES, F32),
    )  # fmt: skip


@kernel
def places_of_weights(coupling):  # type: ignore[no-untyped-def]
    """Where W₂, W₃, its rows for splines, and the spline's own numbers begin."""
    H = coupling.hidden
    second = H * INPUTS
    last = second + H * H
    rows = last + SHIFTS * H
    return second, last, rows, rows + coupling.numbers * H


@kernel
def mean_of_others(coupling, x):  # type: ignore[no-untyped-def]
    """Σ/√n of the n fields of the other sublattice."""
    sums = splat(F32(0))
    for other in coupling.others:
        sums = sums + load(x, LANES * other)
    return sums * splat(F32(1 / math.sqrt(len(coupling.others))))


@kernel
def nets(coupling, x, mean, start, places, of):  # type: ignore[no-untyped-def]
    """The nets of so many changed sites from ``start`` on: fill all ``Units`` but the knots."""
    H, weights = coupling.hidden, coupling.weights
    second, last, rows, _ = places_of_weights(coupling)
    for p in range(places):
        seen = coupling.seen[start + p]
        for k in range(len(seen)):
            store(of.c, LANES * (INPUTS * p + k), load(x, LANES * seen[k]))
        store(of.c, LANES * (INPUTS * p + len(seen)), mean)
    dense(weights, 0, INPUTS, H, False, False, places, of.c, 0, of.h1, 0)
    for at in range(0, LANES * H * places, LANES):
        store(of.h1, at, tangent(load(of.h1, at)))
    dense(weights, second, H, H, False, False, places, of.h1, 0, of.h2, 0)
    for at in range(0, LANES * H * places, LANES):
        value = tangent(load(of.h2, at))
        store(of.h2, at, value)
        store(of.squares, at, value * value)
    dense(weights, last, H, SHIFTS, False, False, places, of.h2, 0, of.shifts, 0)
    # biased by the spline's own numbers, which stand behind these rows
    dense(weights, rows, H, coupling.numbers, True, False, places, of.squares, 0, of.numbers, 0)


@kernel
def spline_of(coupling, of, p):  # type: ignore[no-untyped-def]
    """Fill the knots of ``Units`` with those of place p; returns how many bins they make."""
    bins = coupling.numbers // 3
    knots(of.numbers[LANES * coupling.numbers * p :], bins, of.knots)
    return bins


@kernel
def couple(coupling, x, kept, of):  # type: ignore[no-untyped-def]
    """Change the fields of one sublattice, from latent variables to fields.

    Args:
        coupling: Coupling.
        x: (N LANES,) changed in place.
        kept: (sites LANES,) to be filled: the changed fields as they were.
        of: ``Units``, written over.
    Returns:
        ln |dy/dx|, a vector.
    """
    sites = len(coupling.changed)
    mean, log_slope = mean_of_others(coupling, x), splat(F32(0))
    for start in range(0, sites, CHUNK):
        places = min(CHUNK, sites - start)
        nets(coupling, x, mean, start, places, of)
        for p in range(places):
            bins = spline_of(coupling, of, p)
            at, shift = LANES * coupling.changed[start + p], LANES * SHIFTS * p
            before = load(x, at)
            store(kept, LANES * (start + p), before)
            y, slope = spline_value(before + load(of.shifts, shift), of.knots, bins)
            store(x, at, y + load(of.shifts, shift + LANES))
            log_slope = log_slope + slope
    return log_slope


@kernel
def uncouple(coupling, x, of):  # type: ignore[no-untyped-def]
    """The inverse of ``couple``; returns its ln |dy/dx|, a vector."""
    sites = len(coupling.changed)
    mean, log_slope = mean_of_others(coupling, x), splat(F32(0))
    for start in range(0, sites, CHUNK):
        places = min(CHUNK, sites - start)
        nets(coupling, x, mean, start, places, of)
        for p in range(places):
            bins = spline_of(coupling, of, p)
            at, shift = LANES * coupling.changed[start + p], LANES * SHIFTS * p
            y = load(x, at) - load(of.shifts, shift + LANES)
            before, slope = spline_inverse(y, of.knots, bins)
            store(x, at, before - load(of.shifts, shift))
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
    of = units(coupling)
    for block in range(len(x)):
        found = couple(coupling, x[block], kept[block], of)
        store(log_slope[block], 0, load(log_slope[block], 0) + found)


@kernel
def uncouple_all(coupling, x, log_slope):  # type: ignore[no-untyped-def]
    """``uncouple`` for all blocks of samples; arguments as above."""
    of = units(coupling)
    for block in range(len(x)):
        found = uncouple(coupling, x[block], of)
        store(log_slope[block], 0, load(log_slope[block], 0) + found)
