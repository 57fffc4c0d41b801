"""Affine couplings on 2 x 2 patches: towards the fields, and towards the latents.

A layer's patches do not overlap and share their nets. A coupling (see ``coupling_stack``) keeps two
variables of a patch, which are all that its nets see, and changes the other two:

    y → y e^s + t,  s = a tanh(net_s),  t = net_t        towards the fields
    y → (y − t) e^(−s)                                   towards the latents

Fields are (blocks, N LANES) float32. Patches of all blocks are items, computed CHUNK at a time: the
products of one chunk have the same weights. Products are fused multiply-adds, sums in the order of
the code. Derivatives are in ``patches_gradient``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    at_least,
    at_most,
    broadcast,
    load,
    multiply_add,
    power_of_rounded,
    splat,
    store,
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
def dense(weights, at, K, J, biased, bent, places, inputs, of_input, outputs, to):  # type: ignore[no-untyped-def]
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
def net(weights, at, sizes, places, h):  # type: ignore[no-untyped-def]
    """All units of a net at some places: those of a dense layer stand in ``h`` behind its inputs'.

    Returns:
        Where the outputs begin.
    """
    base, last = 0, len(sizes) - 2
    for layer in range(last + 1):
        K, J = sizes[layer], sizes[layer + 1]
        to = base + LANES * K * CHUNK
        dense(weights, at, K, J, True, layer < last, places, h, base, h, to)
        at += J * K + J
        base = to
    return base


@kernel
def both_nets(layer, x, c, start, places, h_s, h_t):  # type: ignore[no-untyped-def]
    """All units of the nets of coupling c, from the variables that it keeps of items start …

    Returns:
        Where the outputs begin.
    """
    patches = len(layer.sites)
    for p in range(places):
        block, patch = divmod(start + p, patches)
        for i in range(HALF):
            value = load(x[block], LANES * layer.sites[patch, layer.order[c, i]])
            store(h_s, LANES * (HALF * p + i), value)
            store(h_t, LANES * (HALF * p + i), value)
    of_net = (layer.weights.shape[1] - HALF) // 2
    net(layer.weights[c], HALF, layer.sizes, places, h_s)
    return net(layer.weights[c], HALF + of_net, layer.sizes, places, h_t)


@kernel
def workspace(layer):  # type: ignore[no-untyped-def]
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
    h_s, h_t = workspace(layer), workspace(layer)
    couplings, patches = len(layer.order), len(layer.sites)
    items, zero = patches * len(x), splat(F32(0))
    for k in range(couplings):
        c = couplings - 1 - k if inverse else k
        weights = layer.weights[c]
        for start in range(0, items, CHUNK):
            places = min(CHUNK, items - start)
            out = both_nets(layer, x, c, start, places, h_s, h_t)
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
