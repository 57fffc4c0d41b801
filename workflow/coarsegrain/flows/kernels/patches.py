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

from coarsegrain.flows.kernels.dense import dense
from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    broadcast,
    load,
    multiply_add,
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
