"""Derivatives of couplings on 2 x 2 patches: see ``kernels.patches`` for what these compute.

A coupling keeps the changed variables as they were; its gradient puts them back and computes the
nets once more, so nothing else has to be kept. Derivatives by the weights are summed over all items
in parts of a vector, and then over these.
"""

import numpy as np

from coarsegrain.flows.kernels.dense import add_all, add_outer, dense
from coarsegrain.flows.kernels.patches import CHUNK, HALF, both_nets, workspace
from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    PART,
    at_most,
    broadcast,
    load,
    load_part,
    splat,
    store,
    total,
)
from coarsegrain.vector_math import exponential, hyperbolic_tangent

F32 = np.float32


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
            add_outer(g, base, J, h, below, K, places, sums, PART * at)
            add_all(g, base, J, places, sums, PART * (at + J * K))
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
