"""Derivatives of couplings between sublattices: see ``kernels.coupling`` for what these compute.

A coupling keeps the changed fields as they were; its gradient puts them back and computes the nets
once more, so nothing else has to be kept. Derivatives by the weights are summed over all samples in
parts of a vector, and then over these.
"""

import math
from typing import NamedTuple

import numpy as np

from coarsegrain.flows.architecture import INPUTS, SHIFTS
from coarsegrain.flows.kernels.coupling import (
    CHUNK,
    Weights,
    for_chunk,
    mean_of_others,
    nets,
    places_of_weights,
    spline_of,
    units,
)
from coarsegrain.flows.kernels.dense import add_all, add_outer, dense
from coarsegrain.flows.kernels.fused import exponential
from coarsegrain.flows.kernels.spline import spline_gradient, spline_value
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, PART, load, load_part, splat, store, total

F32 = np.float32


class Derivatives(NamedTuple):
    """Arrays for derivatives of the nets of CHUNK sites.

    Attributes:
        shifts: (CHUNK 2 LANES,) by the shifts.
        numbers: (CHUNK numbers LANES,) by the splines' numbers.
        h1: (CHUNK hidden LANES,) by W₁ c.
        h2: (CHUNK hidden LANES,) by W₂ h₁.
        squares: (CHUNK hidden LANES,) by h₂².
        seen: (CHUNK 13 LANES,) by c.
    """

    shifts: Weights
    numbers: Weights
    h1: Weights
    h2: Weights
    squares: Weights
    seen: Weights


@kernel
def _derivatives(coupling):  # type: ignore[no-untyped-def]
    """New ``Derivatives`` of a coupling."""
    H = coupling.hidden
    return Derivatives(
        for_chunk(SHIFTS), for_chunk(coupling.numbers), for_chunk(H), for_chunk(H), for_chunk(H),
        for_chunk(INPUTS),
    )  # fmt: skip


@kernel
def _add_to_others(coupling, of_mean, sign, gx):  # type: ignore[no-untyped-def]
    """Add sign times what derivatives by ``mean_of_others`` make of the other sublattice."""
    share = of_mean * splat(F32(sign / math.sqrt(len(coupling.others))))
    for other in coupling.others:
        store(gx, LANES * other, load(gx, LANES * other) + share)


@kernel
def _nets_gradient(coupling, of, by, start, places, sign, gx, learn, sums):  # type: ignore[no-untyped-def]
    """From derivatives by the outputs of the nets at all places to those by what they are made of.

    Args:
        coupling: Coupling.
        of: ``Units``.
        by: ``Derivatives``; shifts and numbers are given, the others filled.
        start: the first of the sites.
        places: how many.
        sign: derivatives by the fields that are seen are added to ``gx`` with this one.
        gx: (N LANES,).
        learn: whether derivatives by the weights are wanted.
        sums: (numbers of weights PART,) to which these are added.
    Returns:
        Derivatives by the mean of the others, a vector.
    """
    H, n, turned = coupling.hidden, coupling.numbers, coupling.turned
    second, last, rows, own = places_of_weights(coupling)
    one, two = splat(F32(1)), splat(F32(2))
    dense(turned, last, SHIFTS, H, False, False, places, by.shifts, 0, by.h2, 0)
    dense(turned, rows, n, H, False, False, places, by.numbers, 0, by.squares, 0)
    for at in range(0, LANES * H * places, LANES):
        h = load(of.h2, at)
        store(by.h2, at, (load(by.h2, at) + two * h * load(by.squares, at)) * (one - h * h))
    dense(turned, second, H, H, False, False, places, by.h2, 0, by.h1, 0)
    for at in range(0, LANES * H * places, LANES):
        h = load(of.h1, at)
        store(by.h1, at, load(by.h1, at) * (one - h * h))
    dense(turned, 0, H, INPUTS, False, False, places, by.h1, 0, by.seen, 0)
    if learn:
        add_outer(by.h1, 0, H, of.c, 0, INPUTS, places, sums, 0)
        add_outer(by.h2, 0, H, of.h1, 0, H, places, sums, PART * second)
        add_outer(by.shifts, 0, SHIFTS, of.h2, 0, H, places, sums, PART * last)
        add_outer(by.numbers, 0, n, of.squares, 0, H, places, sums, PART * rows)
        add_all(by.numbers, 0, n, places, sums, PART * own)
    of_mean, factor = splat(F32(0)), splat(F32(sign))
    for p in range(places):
        seen = coupling.seen[start + p]
        for k in range(len(seen)):
            at = LANES * seen[k]
            more = factor * load(by.seen, LANES * (INPUTS * p + k))
            store(gx, at, load(gx, at) + more)
        of_mean = of_mean + load(by.seen, LANES * (INPUTS * p + len(seen)))
    return of_mean


@kernel
def couple_gradient(coupling, x, kept, gx, weight, learn, sums, of, by):  # type: ignore[no-untyped-def]
    """Put the changed fields back, and turn derivatives by what they became into those before.

    Args:
        coupling: Coupling.
        x: (N LANES,) after ``couple``; before it, afterwards.
        kept: of ``couple``.
        gx: (N LANES,) derivatives of the loss by x, changed in place.
        weight: derivative of the loss by ln |dy/dx| of every sample, a vector.
        learn: whether derivatives by the weights are wanted.
        sums: (numbers of weights PART,) to which they are added.
        of: ``Units``, written over.
        by: ``Derivatives``, written over.
    """
    n, sites = coupling.numbers, len(coupling.changed)
    mean, of_mean = mean_of_others(coupling, x), splat(F32(0))
    for start in range(0, sites, CHUNK):
        places = min(CHUNK, sites - start)
        nets(coupling, x, mean, start, places, of)
        for p in range(places):
            bins = spline_of(coupling, of, p)
            at, shift = LANES * coupling.changed[start + p], LANES * SHIFTS * p
            before, gy = load(kept, LANES * (start + p)), load(gx, at)
            store(x, at, before)
            shifted = before + load(of.shifts, shift)
            into = by.numbers[LANES * n * p :]
            a = spline_gradient(shifted, gy, weight, of.knots, bins, into)
            store(gx, at, a)
            store(by.shifts, shift, a)
            store(by.shifts, shift + LANES, gy)
        of_mean = of_mean + _nets_gradient(coupling, of, by, start, places, 1.0, gx, learn, sums)
    _add_to_others(coupling, of_mean, 1.0, gx)


@kernel
def couple_score(coupling, x, kept, score, learn, sums, of, by):  # type: ignore[no-untyped-def]
    """``couple`` together with the score, the derivatives of ln q by the fields.

    Of the changed fields it becomes (score − ∂ ln y'/∂x)/y', and what these derivatives and those
    of y make of the fields that are seen is taken off theirs. At fixed y, −ln q changes with a
    weight by what the score makes of ∂y, and by ∂ ln y'.

    Args:
        coupling: Coupling.
        x: (N LANES,) changed in place.
        kept: (sites LANES,) to be filled: the changed fields as they were.
        score: (N LANES,) changed in place.
        learn: whether derivatives of −ln q by the weights are wanted.
        sums: (numbers of weights PART,) to which they are added.
        of: ``Units``, written over.
        by: ``Derivatives``, written over.
    Returns:
        ln |dy/dx|, a vector.
    """
    n, sites = coupling.numbers, len(coupling.changed)
    zero, one = splat(F32(0)), splat(F32(1))
    mean, of_mean, log_slope = mean_of_others(coupling, x), zero, zero
    for start in range(0, sites, CHUNK):
        places = min(CHUNK, sites - start)
        nets(coupling, x, mean, start, places, of)
        for p in range(places):
            bins = spline_of(coupling, of, p)
            at, shift = LANES * coupling.changed[start + p], LANES * SHIFTS * p
            before, old = load(x, at), load(score, at)
            store(kept, LANES * (start + p), before)
            shifted = before + load(of.shifts, shift)
            y, slope = spline_value(shifted, of.knots, bins)
            store(x, at, y + load(of.shifts, shift + LANES))
            log_slope = log_slope + slope
            into = by.numbers[LANES * n * p :]
            bend = spline_gradient(shifted, zero, one, of.knots, bins, into)
            new = (old - bend) * exponential(zero - slope)
            store(score, at, new)
            of_shift = spline_gradient(shifted, new, one, of.knots, bins, into)
            store(by.shifts, shift, of_shift)
            store(by.shifts, shift + LANES, new)
        of_mean = of_mean + _nets_gradient(
            coupling, of, by, start, places, -1.0, score, learn, sums
        )
    _add_to_others(coupling, of_mean, -1.0, score)
    return log_slope


@kernel
def _add_totals(sums, g):  # type: ignore[no-untyped-def]
    for i in range(len(g)):
        g[i] += total(load_part(sums, PART * i))


@kernel
def couple_gradient_all(coupling, x, kept, gx, weight, learn, g):  # type: ignore[no-untyped-def]
    """``couple_gradient`` for all blocks.

    Args:
        coupling: Coupling.
        x: (blocks, N LANES).
        kept: (blocks, sites LANES).
        gx: (blocks, N LANES).
        weight: (blocks, LANES).
        learn: whether derivatives by the weights are wanted.
        g: (numbers of weights,) float64, to which they are added, in the order of the weights.
    """
    sums, of, by = np.zeros(PART * len(g), F32), units(coupling), _derivatives(coupling)
    for block in range(len(x)):
        of_slope = load(weight[block], 0)
        couple_gradient(coupling, x[block], kept[block], gx[block], of_slope, learn, sums, of, by)
    _add_totals(sums, g)


@kernel
def couple_score_all(coupling, x, kept, score, log_slope, learn, g):  # type: ignore[no-untyped-def]
    """``couple_score`` for all blocks; score: (blocks, N LANES), others as there and above."""
    sums, of, by = np.zeros(PART * len(g), F32), units(coupling), _derivatives(coupling)
    for block in range(len(x)):
        found = couple_score(coupling, x[block], kept[block], score[block], learn, sums, of, by)
        store(log_slope[block], 0, load(log_slope[block], 0) + found)
    _add_totals(sums, g)
