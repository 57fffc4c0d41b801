"""Derivatives of couplings between sublattices: see ``kernels.coupling`` for what these compute.

A coupling keeps the changed fields as they were; its gradient puts them back and computes the nets
once more, so nothing else has to be kept.
"""

import math

import numpy as np

from coarsegrain.flows.architecture import INPUTS, SHIFTS
from coarsegrain.flows.kernels.coupling import mean_of_others, net, product, workspace
from coarsegrain.flows.kernels.spline import knots, spline_gradient, spline_value
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, multiply_add, splat, store, total
from coarsegrain.vector_math import exponential

F32 = np.float32
#: Sites whose nets are computed together, so that a gradient's sums are over many.
CHUNK = 32


@kernel
def _add_to_others(coupling, of_mean, sign, gx):  # type: ignore[no-untyped-def]
    """Add sign times what derivatives by ``mean_of_others`` make of the other sublattice."""
    share = of_mean * splat(F32(sign / math.sqrt(len(coupling.others))))
    for other in coupling.others:
        store(gx, LANES * other, load(gx, LANES * other) + share)


@kernel
def _add_outer(left, rows, right, columns, places, g):  # type: ignore[no-untyped-def]
    """Add Σ over places and lanes of left[p, j] right[p, k] to g[j, k], two by two.

    Args:
        left: (places rows LANES,).
        rows: a row each.
        right: (places columns LANES,).
        columns: how many.
        places: how many.
        g: (rows, columns) float64.
    """
    zero = splat(F32(0))
    for j in range(0, rows, 2):
        two = min(j + 1, rows - 1)
        for k in range(0, columns, 2):
            s00, s01, s10, s11 = zero, zero, zero, zero
            next_to = min(k + 1, columns - 1)
            for p in range(places):
                u = load(left, LANES * (rows * p + j))
                v = load(left, LANES * (rows * p + two))
                a = load(right, LANES * (columns * p + k))
                b = load(right, LANES * (columns * p + next_to))
                s00 = multiply_add(u, a, s00)
                s01 = multiply_add(u, b, s01)
                s10 = multiply_add(v, a, s10)
                s11 = multiply_add(v, b, s11)
            g[j, k] += total(s00)
            if next_to > k:
                g[j, next_to] += total(s01)
            if two > j:
                g[two, k] += total(s10)
                if next_to > k:
                    g[two, next_to] += total(s11)


@kernel
def _net_gradient(turned, H, numbers, h1, h2, g_odd, g_even, g1, g2, more, of_seen, p):  # type: ignore[no-untyped-def]
    """From derivatives by the outputs of the net at place p to those by hidden units and by c.

    Args:
        turned: see ``couple_gradient``.
        H: hidden units.
        numbers: of the spline.
        h1: of ``net``.
        h2: of ``net``.
        g_odd: (places 2 LANES,) derivatives by the shifts.
        g_even: (places numbers LANES,) derivatives by the spline's numbers.
        g1: like h1, to be filled at p: derivatives by W₁ c.
        g2: like h2, to be filled at p: derivatives by W₂ h₁.
        more: (H LANES,) written over.
        of_seen: (13 LANES,) to be filled: derivatives by c.
        p: a place.
    """
    first_t, second_t, shifts_t, numbers_t = turned
    one, two = splat(F32(1)), splat(F32(2))
    of_hidden = LANES * H * p
    product(shifts_t, 0, H, g_odd, LANES * SHIFTS * p, g2, of_hidden)
    product(numbers_t, 0, H, g_even, LANES * numbers * p, more, 0)
    for k in range(H):
        at = of_hidden + LANES * k
        h = load(h2, at)
        store(g2, at, (load(g2, at) + two * h * load(more, LANES * k)) * (one - h * h))
    product(second_t, 0, H, g2, of_hidden, g1, of_hidden)
    for k in range(H):
        at = of_hidden + LANES * k
        h = load(h1, at)
        store(g1, at, load(g1, at) * (one - h * h))
    product(first_t, 0, INPUTS, g1, of_hidden, of_seen, 0)


@kernel
def _add_to_seen(seen, of_seen, sign, gx):  # type: ignore[no-untyped-def]
    """Add sign times derivatives by the fields that a site sees to these."""
    factor = splat(F32(sign))
    for k in range(len(seen)):
        at = LANES * seen[k]
        store(gx, at, load(gx, at) + factor * load(of_seen, LANES * k))


@kernel
def _add_products(H, numbers, c, h1, h2, squares, g1, g2, g_odd, g_even, places, g):  # type: ignore[no-untyped-def]
    """Add derivatives by the weights, from those by the units of the nets at all places."""
    g_first, g_second, g_shifts, g_numbers, g_spline = g
    _add_outer(g1, H, c, INPUTS, places, g_first)
    _add_outer(g2, H, h1, H, places, g_second)
    _add_outer(g_odd, SHIFTS, h2, H, places, g_shifts)
    _add_outer(g_even, numbers, squares, H, places, g_numbers)
    for k in range(numbers):
        s = splat(F32(0))
        for p in range(places):
            s = s + load(g_even, LANES * (numbers * p + k))
        g_spline[k] += total(s)


@kernel
def _workspace_of_gradient(H, numbers):  # type: ignore[no-untyped-def]
    """Arrays for derivatives at ``CHUNK`` places: g_odd, g_even, g1, g2; and more, of_seen."""
    return (
        np.empty(CHUNK * SHIFTS * LANES, F32),
        np.empty(CHUNK * numbers * LANES, F32),
        np.empty(CHUNK * H * LANES, F32),
        np.empty(CHUNK * H * LANES, F32),
        np.empty(H * LANES, F32),
        np.empty(INPUTS * LANES, F32),
    )


@kernel
def couple_gradient(coupling, x, kept, gx, weight, turned, learn, g):  # type: ignore[no-untyped-def]
    """Put the changed fields back, and turn derivatives by what they became into those before.

    Args:
        coupling: Coupling.
        x: (N LANES,) after ``couple``; before it, afterwards.
        kept: of ``couple``.
        gx: (N LANES,) derivatives of the loss by x, changed in place.
        weight: derivative of the loss by ln |dy/dx| of every sample, a vector.
        turned: the weights transposed: first, second, the last's shifts, the last's other rows.
        learn: whether derivatives by the weights are wanted.
        g: to which they are added: by first, second, last's shifts, last's other rows and spline.
    """
    H, outputs = coupling.second.shape[0], coupling.last.shape[0]
    numbers, bins = outputs - SHIFTS, len(coupling.spline) // 3
    c, h1, h2, squares, out, values = workspace(coupling, CHUNK)
    g_odd, g_even, g1, g2, more, of_seen = _workspace_of_gradient(H, numbers)
    mean, of_mean = mean_of_others(coupling, x), splat(F32(0))
    sites = len(coupling.changed)
    for start in range(0, sites, CHUNK):
        places = min(CHUNK, sites - start)
        for p in range(places):
            site = start + p
            net(coupling, x, mean, site, c, h1, h2, squares, out, p)
            at = LANES * coupling.changed[site]
            of_output = LANES * outputs * p
            knots(out[of_output + LANES * SHIFTS :], bins, values)
            before, gy = load(kept, LANES * site), load(gx, at)
            store(x, at, before)
            a = spline_gradient(
                before + load(out, of_output), gy, weight, values, bins,
                g_even[LANES * numbers * p :],
            )  # fmt: skip
            store(gx, at, a)
            store(g_odd, LANES * SHIFTS * p, a)
            store(g_odd, LANES * (SHIFTS * p + 1), gy)
            _net_gradient(turned, H, numbers, h1, h2, g_odd, g_even, g1, g2, more, of_seen, p)
            _add_to_seen(coupling.seen[site], of_seen, 1.0, gx)
            of_mean = of_mean + load(of_seen, LANES * (INPUTS - 1))
        if learn:
            _add_products(H, numbers, c, h1, h2, squares, g1, g2, g_odd, g_even, places, g)
    _add_to_others(coupling, of_mean, 1.0, gx)


@kernel
def couple_score(coupling, x, kept, score, turned, learn, g):  # type: ignore[no-untyped-def]
    """``couple`` together with the score, the derivatives of ln q by the fields.

    Of the changed fields it becomes (score − ∂ ln y'/∂x)/y', and what these derivatives and those
    of y make of the fields that are seen is taken off theirs. At fixed y, −ln q changes with a
    weight by what the score makes of ∂y, and by ∂ ln y'.

    Args:
        coupling: Coupling.
        x: (N LANES,) changed in place.
        kept: (sites LANES,) to be filled: the changed fields as they were.
        score: (N LANES,) changed in place.
        turned: see ``couple_gradient``.
        learn: whether derivatives of −ln q by the weights are wanted.
        g: to which they are added, as in ``couple_gradient``.
    Returns:
        ln |dy/dx|, a vector.
    """
    H, outputs = coupling.second.shape[0], coupling.last.shape[0]
    numbers, bins = outputs - SHIFTS, len(coupling.spline) // 3
    c, h1, h2, squares, out, values = workspace(coupling, CHUNK)
    g_odd, g_even, g1, g2, more, of_seen = _workspace_of_gradient(H, numbers)
    zero, one = splat(F32(0)), splat(F32(1))
    mean, of_mean, log_slope = mean_of_others(coupling, x), zero, zero
    sites = len(coupling.changed)
    for start in range(0, sites, CHUNK):
        places = min(CHUNK, sites - start)
        for p in range(places):
            site = start + p
            net(coupling, x, mean, site, c, h1, h2, squares, out, p)
            of_output, of_numbers = LANES * outputs * p, LANES * numbers * p
            knots(out[of_output + LANES * SHIFTS :], bins, values)
            at = LANES * coupling.changed[site]
            before, old = load(x, at), load(score, at)
            store(kept, LANES * site, before)
            shifted = before + load(out, of_output)
            y, slope = spline_value(shifted, values, bins)
            store(x, at, y + load(out, of_output + LANES))
            log_slope = log_slope + slope
            bend = spline_gradient(shifted, zero, one, values, bins, g_even[of_numbers:])
            new = (old - bend) * exponential(zero - slope)
            store(score, at, new)
            of_shift = spline_gradient(shifted, new, one, values, bins, g_even[of_numbers:])
            store(g_odd, LANES * SHIFTS * p, of_shift)
            store(g_odd, LANES * (SHIFTS * p + 1), new)
            _net_gradient(turned, H, numbers, h1, h2, g_odd, g_even, g1, g2, more, of_seen, p)
            _add_to_seen(coupling.seen[site], of_seen, -1.0, score)
            of_mean = of_mean + load(of_seen, LANES * (INPUTS - 1))
        if learn:
            _add_products(H, numbers, c, h1, h2, squares, g1, g2, g_odd, g_even, places, g)
    _add_to_others(coupling, of_mean, -1.0, score)
    return log_slope


@kernel
def couple_gradient_all(coupling, x, kept, gx, weight, turned, learn, g):  # type: ignore[no-untyped-def]
    """``couple_gradient`` for all blocks; weight: (blocks, LANES), the others as there."""
    for block in range(len(x)):
        couple_gradient(
            coupling, x[block], kept[block], gx[block], load(weight[block], 0), turned, learn, g
        )


@kernel
def couple_score_all(coupling, x, kept, score, log_slope, turned, learn, g):  # type: ignore[no-untyped-def]
    """``couple_score`` for all blocks; score: (blocks, N LANES), others as in ``couple_all``."""
    for block in range(len(x)):
        found = couple_score(coupling, x[block], kept[block], score[block], turned, learn, g)
        store(log_slope[block], 0, load(log_slope[block], 0) + found)
