"""Derivatives of couplings on 2 x 2 patches: see ``kernels.patches`` for what these compute.

A coupling keeps the changed variables as they were; its gradient puts them back and computes the
nets once more, so nothing else has to be kept. Derivatives by the weights are summed over all items
in parts of a vector, and then over these.
"""

import numpy as np

from coarsegrain.flows.kernels.patches import CHUNK, HALF, both_nets, dense, workspace
from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    PART,
    at_most,
    broadcast,
    load,
    load_part,
    multiply_add,
    splat,
    store,
    total,
)
from coarsegrain.vector_math import exponential, hyperbolic_tangent

F32 = np.float32


@kernel
def _add_outer(left, of_left, J, right, of_right, K, places, sums, at):  # type: ignore[no-untyped-def]
    """Add Σ_p left[p, j] right[p, k] to the (J, K) sums from ``at`` on, each a part of a vector.

    Two rows and five columns at once: on AVX2 their sums and factors fit the registers.
    """
    for j in range(0, J, 2):
        two = min(j + 1, J - 1)
        for k in range(0, K, 5):
            k1, k2, k3, k4 = (
                min(k + 1, K - 1),
                min(k + 2, K - 1),
                min(k + 3, K - 1),
                min(k + 4, K - 1),
            )
            row, next_row = at + PART * K * j, at + PART * K * two
            a0, b0 = load_part(sums, row + PART * k), load_part(sums, next_row + PART * k)
            a1, b1 = load_part(sums, row + PART * k1), load_part(sums, next_row + PART * k1)
            a2, b2 = load_part(sums, row + PART * k2), load_part(sums, next_row + PART * k2)
            a3, b3 = load_part(sums, row + PART * k3), load_part(sums, next_row + PART * k3)
            a4, b4 = load_part(sums, row + PART * k4), load_part(sums, next_row + PART * k4)
            for p in range(places):
                of_p, from_p = of_left + LANES * J * p, of_right + LANES * K * p
                for part in range(0, LANES, PART):
                    u = load_part(left, of_p + LANES * j + part)
                    v = load_part(left, of_p + LANES * two + part)
                    x = load_part(right, from_p + LANES * k + part)
                    a0, b0 = multiply_add(u, x, a0), multiply_add(v, x, b0)
                    x = load_part(right, from_p + LANES * k1 + part)
                    a1, b1 = multiply_add(u, x, a1), multiply_add(v, x, b1)
                    x = load_part(right, from_p + LANES * k2 + part)
                    a2, b2 = multiply_add(u, x, a2), multiply_add(v, x, b2)
                    x = load_part(right, from_p + LANES * k3 + part)
                    a3, b3 = multiply_add(u, x, a3), multiply_add(v, x, b3)
                    x = load_part(right, from_p + LANES * k4 + part)
                    a4, b4 = multiply_add(u, x, a4), multiply_add(v, x, b4)
            store(sums, row + PART * k, a0)
            store(sums, next_row + PART * k, b0)
            store(sums, row + PART * k1, a1)
            store(sums, next_row + PART * k1, b1)
            store(sums, row + PART * k2, a2)
            store(sums, next_row + PART * k2, b2)
            store(sums, row + PART * k3, a3)
            store(sums, next_row + PART * k3, b3)
            store(sums, row + PART * k4, a4)
            store(sums, next_row + PART * k4, b4)


@kernel
def _add_all(left, of_left, J, places, sums, at):  # type: ignore[no-untyped-def]
    """Add Σ_p left[p, j] to the J sums from ``at`` on, each a part of a vector."""
    for j in range(J):
        s = load_part(sums, at + PART * j)
        for p in range(places):
            for part in range(0, LANES, PART):
                s = s + load_part(left, of_left + LANES * (J * p + j) + part)
        store(sums, at + PART * j, s)


@kernel
def _net_gradient(turned, at, sizes, places, h, g, base, learn, sums):  # type: ignore[no-untyped-def]
    """From derivatives by a net's outputs to those by its inputs and its weights.

    Args:
        turned: of ``PatchLayer``, of one coupling.
        at: where the next net's numbers begin in it.
        sizes: of ``PatchLayer``.
        places: how many.
        h: of ``net``.
        g: like h: derivatives, those by outputs given, all others to be filled.
        base: where the outputs begin in h and g.
        learn: whether derivatives by the weights are wanted.
        sums: to which these are added, each a part of a vector.
    """
    one = splat(F32(1))
    for layer in range(len(sizes) - 2, -1, -1):
        K, J = sizes[layer], sizes[layer + 1]
        at -= J * K + J
        below = base - LANES * K * CHUNK
        if learn:
            _add_outer(g, base, J, h, below, K, places, sums, PART * at)
            _add_all(g, base, J, places, sums, PART * (at + J * K))
        dense(turned, at, J, K, False, False, places, g, base, g, below)
        if layer > 0:
            for unit in range(0, LANES * K * places, LANES):
                slope = at_most(load(h, below + unit) + one, one)  # e^x = ELU + 1, or 1
                store(g, below + unit, load(g, below + unit) * slope)
        base = below


@kernel
def transform_gradient(layer, x, inverse, kept, gx, weight, learn, g):  # type: ignore[no-untyped-def]
    """Put the fields back, and turn derivatives by what they became into those before.

    Args:
        layer: PatchLayer.
        x: (blocks, N LANES) after ``transform``; before it, afterwards.
        inverse: as there.
        kept: of ``transform``.
        gx: (blocks, N LANES) derivatives of the loss by x, changed in place.
        weight: (blocks, LANES) derivatives of the loss by ln |det|.
        learn: whether derivatives by the weights are wanted.
        g: (couplings, numbers) float64, to which they are added, in the order of the weights.
    """
    h_s, h_t, g_s, g_t = workspace(layer), workspace(layer), workspace(layer), workspace(layer)
    couplings, patches = len(layer.order), len(layer.sites)
    numbers = layer.weights.shape[1]
    of_net = (numbers - HALF) // 2
    sums, of_factors = np.empty(PART * numbers, F32), np.empty(HALF * LANES, F32)
    items, zero, one = patches * len(x), splat(F32(0)), splat(F32(1))
    for k in range(couplings):
        c = k if inverse else couplings - 1 - k
        weights, turned = layer.weights[c], layer.turned[c]
        sums[:] = 0
        of_factors[:] = 0
        for start in range(0, items, CHUNK):
            places = min(CHUNK, items - start)
            out = both_nets(layer, x, c, start, places, h_s, h_t)
            for p in range(places):
                block, patch = divmod(start + p, patches)
                row, derivatives, by_log_det = x[block], gx[block], load(weight[block], 0)
                for i in range(HALF):
                    at = LANES * layer.sites[patch, layer.order[c, HALF + i]]
                    unit = out + LANES * (HALF * p + i)
                    before = load(kept[c], LANES * (HALF * (start + p) + i))
                    after, ga, factor = load(row, at), load(derivatives, at), broadcast(weights, i)
                    tangent = hyperbolic_tangent(load(h_s, unit))
                    s = factor * tangent
                    if inverse:
                        gb = ga * exponential(zero - s)
                        gt, gs = zero - gb, zero - (ga * after + by_log_det)
                    else:
                        gb = ga * exponential(s)
                        gt, gs = ga, gb * before + by_log_det
                    store(row, at, before)
                    store(derivatives, at, gb)
                    store(g_t, unit, gt)
                    store(g_s, unit, gs * factor * (one - tangent * tangent))
                    added = load(of_factors, LANES * i) + gs * tangent
                    store(of_factors, LANES * i, added)
            _net_gradient(turned, HALF + of_net, layer.sizes, places, h_s, g_s, out, learn, sums)
            _net_gradient(turned, numbers, layer.sizes, places, h_t, g_t, out, learn, sums)
            for p in range(places):
                block, patch = divmod(start + p, patches)
                for i in range(HALF):
                    at = LANES * layer.sites[patch, layer.order[c, i]]
                    unit = LANES * (HALF * p + i)
                    more = load(g_s, unit) + load(g_t, unit)
                    store(gx[block], at, load(gx[block], at) + more)
        if learn:
            for i in range(HALF):
                g[c, i] += total(load(of_factors, LANES * i))
            for i in range(HALF, numbers):
                g[c, i] += total(load_part(sums, PART * i))
