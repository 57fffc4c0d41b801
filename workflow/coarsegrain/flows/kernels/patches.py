"""Affine couplings on 2 x 2 patches: towards the fields, towards the latents, and the gradient.

A layer's patches do not overlap and share their nets. A coupling (see ``coupling_stack``) keeps two
variables of a patch, which are all that its nets see, and changes the other two:

    y → y e^s + t,  s = a tanh(net_s),  t = net_t        towards the fields
    y → (y − t) e^(−s)                                   towards the latents

Fields are (blocks, N LANES) float32. Patches of all blocks are items, computed CHUNK at a time: the
products of one chunk have the same weights, and those of a gradient are summed over all chunks in
parts of a vector. A coupling keeps the changed variables as they were; its gradient puts them back
and computes the nets once more. Products are fused multiply-adds, sums in the order of the code.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    PART,
    at_least,
    at_most,
    broadcast,
    load,
    load_part,
    multiply_add,
    power_of_rounded,
    splat,
    store,
    total,
)
from coarsegrain.vector_math import exponential, hyperbolic_tangent

F32 = np.float32
Weights = npt.NDArray[np.float32]
#: Items whose nets are computed together.
CHUNK = 8
#: Variables of a patch that a coupling keeps, and those that it changes.
HALF = 2
_LOG2_E = F32(1.4426950408889634)
# Added and taken away again, it rounds a number to the nearest whole one.
_ROUNDING = F32(1.5 * 2**23)
_LEAST = F32(-80)
# (2^f − 1)/f by powers of f, |f| ≤ ½: of the polynomials of degree 4 the one whose 2^f is off by
# the least, 1e-7.
_C0, _C1, _C2, _C3, _C4 = (
    F32(c) for c in (0.69314724, 0.24022235, 0.055503085, 0.009671875, 0.0013407259)
)


class PatchLayer(NamedTuple):
    """A layer, as the kernels take it.

    Attributes:
        sites: (patches, 4).
        order: (couplings, 4) variables of a patch: the two kept ones, then the two changed ones.
        sizes: (dense layers + 1,) 2 inputs of a net, its hidden units, 2 outputs.
        weights: (couplings, numbers): a; then of net_s and of net_t, dense layer by dense layer,
            the weights (outputs, inputs) and the biases.
        turned: (couplings, numbers) the same with weights (inputs, outputs).
    """

    sites: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    weights: Weights
    turned: Weights


@kernel
def elu(x):  # type: ignore[no-untyped-def]
    """x > 0: x, else e^x − 1, of a vector; 2ⁿ 2^f − 1 with n + f = x log₂ e.

    It must not be in memory: LLVM makes a masked store of a choice between a number and what stands
    in its place, at which AMD's processors are slow.
    """
    low = at_most(at_least(x, splat(_LEAST)), splat(F32(0)))
    rounded = multiply_add(low, splat(_LOG2_E), splat(_ROUNDING))
    power, n = power_of_rounded(rounded), rounded - splat(_ROUNDING)
    f = multiply_add(low, splat(_LOG2_E), splat(F32(0)) - n)
    y = multiply_add(splat(_C4), f, splat(_C3))
    y = multiply_add(y, f, splat(_C2))
    y = multiply_add(y, f, splat(_C1))
    y = multiply_add(y, f, splat(_C0)) * f
    return at_least(x, multiply_add(power, y, power - splat(F32(1))))


@kernel
def _dense(weights, at, K, J, biased, bent, places, inputs, of_input, outputs, to):  # type: ignore[no-untyped-def]
    """``outputs[p, j] = Σ_k weights[j, k] inputs[p, k]``, two rows at once.

    Args:
        weights: in which (J, K) weights and J biases stand from ``at`` on.
        at: see above.
        K: inputs.
        J: outputs.
        biased: whether the biases are added.
        bent: whether the outputs are those of ELU.
        places: number of p.
        inputs: in which (places, K) vectors stand from ``of_input`` on.
        of_input: see above.
        outputs: (places, J) vectors, filled from ``to`` on.
        to: see above.
    """
    zero = splat(F32(0))
    for p in range(places):
        first = of_input + LANES * K * p
        for j in range(0, J, 2):
            two = min(j + 1, J - 1)
            s0, s1 = zero, zero
            if biased:
                s0, s1 = broadcast(weights, at + J * K + j), broadcast(weights, at + J * K + two)
            for k in range(K):
                v = load(inputs, first + LANES * k)
                s0 = multiply_add(broadcast(weights, at + K * j + k), v, s0)
                s1 = multiply_add(broadcast(weights, at + K * two + k), v, s1)
            if bent:
                s0, s1 = elu(s0), elu(s1)
            store(outputs, to + LANES * (J * p + j), s0)
            store(outputs, to + LANES * (J * p + two), s1)


@kernel
def _net(weights, at, sizes, places, h):  # type: ignore[no-untyped-def]
    """All units of a net at some places: those of a dense layer stand in ``h`` behind its inputs'.

    Returns:
        Where the outputs begin.
    """
    base, last = 0, len(sizes) - 2
    for layer in range(last + 1):
        K, J = sizes[layer], sizes[layer + 1]
        to = base + LANES * K * CHUNK
        _dense(weights, at, K, J, True, layer < last, places, h, base, h, to)
        at += J * K + J
        base = to
    return base


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
        h: of ``_net``.
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
        _dense(turned, at, J, K, False, False, places, g, base, g, below)
        if layer > 0:
            for unit in range(0, LANES * K * places, LANES):
                slope = at_most(load(h, below + unit) + one, one)  # e^x = ELU + 1, or 1
                store(g, below + unit, load(g, below + unit) * slope)
        base = below


@kernel
def _gather(x, layer, c, start, places, h_s, h_t):  # type: ignore[no-untyped-def]
    """The variables that coupling c keeps, of items start …, as inputs of both nets."""
    patches = len(layer.sites)
    for p in range(places):
        block, patch = divmod(start + p, patches)
        for i in range(HALF):
            value = load(x[block], LANES * layer.sites[patch, layer.order[c, i]])
            store(h_s, LANES * (HALF * p + i), value)
            store(h_t, LANES * (HALF * p + i), value)


@kernel
def _workspace(layer):  # type: ignore[no-untyped-def]
    """An array for all units of a net at ``CHUNK`` places."""
    return np.empty(CHUNK * LANES * np.sum(layer.sizes), F32)


@kernel
def transform(layer, x, inverse, keep, kept, log_det):  # type: ignore[no-untyped-def]
    """Apply a layer.

    Args:
        layer: PatchLayer.
        x: (blocks, N LANES) changed in place.
        inverse: towards the latents, or towards the fields.
        keep: whether a gradient will be wanted.
        kept: (couplings, items 2 LANES) to be filled if so: changed variables as they were.
        log_det: (blocks, LANES) to which ln |det| of the Jacobian is added.
    """
    h_s, h_t = _workspace(layer), _workspace(layer)
    couplings, patches = len(layer.order), len(layer.sites)
    of_net = (layer.weights.shape[1] - HALF) // 2
    items, zero = patches * len(x), splat(F32(0))
    for k in range(couplings):
        c = couplings - 1 - k if inverse else k
        weights = layer.weights[c]
        for start in range(0, items, CHUNK):
            places = min(CHUNK, items - start)
            _gather(x, layer, c, start, places, h_s, h_t)
            out = _net(weights, HALF, layer.sizes, places, h_s)
            _net(weights, HALF + of_net, layer.sizes, places, h_t)
            for p in range(places):
                block, patch = divmod(start + p, patches)
                row, change = x[block], load(log_det[block], 0)
                for i in range(HALF):
                    at = LANES * layer.sites[patch, layer.order[c, HALF + i]]
                    unit = out + LANES * (HALF * p + i)
                    s = broadcast(weights, i) * hyperbolic_tangent(load(h_s, unit))
                    y, t = load(row, at), load(h_t, unit)
                    if keep:
                        store(kept[c], LANES * (HALF * (start + p) + i), y)
                    if inverse:
                        s = zero - s
                        store(row, at, (y - t) * exponential(s))
                    else:
                        store(row, at, multiply_add(y, exponential(s), t))
                    change = change + s
                store(log_det[block], 0, change)


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
    h_s, h_t, g_s, g_t = _workspace(layer), _workspace(layer), _workspace(layer), _workspace(layer)
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
            _gather(x, layer, c, start, places, h_s, h_t)
            out = _net(weights, HALF, layer.sizes, places, h_s)
            _net(weights, HALF + of_net, layer.sizes, places, h_t)
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
