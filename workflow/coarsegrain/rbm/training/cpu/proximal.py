"""Adam's step with its proximal penalty for vectors of weights (``rbm.training.adam``)."""

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    absolute,
    at_least,
    flushed,
    load,
    splat,
    square_root,
    store,
    with_sign_of,
)


@kernel
def update_weights(w, mean, square, j, g, step):  # type: ignore[no-untyped-def]
    """One step of the weights j … j + LANES - 1, in place.

    Args:
        w: (n,) float32 weights.
        mean: (n,) Adam's mean of the gradient.
        square: (n,) Adam's mean of its square.
        j: the first.
        g: vector of gradients.
        step: numbers of the step.
    """
    m = flushed(splat(step.beta1) * load(mean, j) + splat(step.rest1) * g, splat(step.tiny))
    v = flushed(splat(step.beta2) * load(square, j) + splat(step.rest2) * (g * g), splat(step.tiny))
    store(mean, j, m)
    store(square, j, v)
    size = splat(step.rate) / (square_root(v) + splat(step.epsilon))
    moved = load(w, j) - size * (m * splat(step.correction))
    shrunk = at_least(absolute(moved) - size * splat(step.l1), splat(np.float32(0)))
    store(w, j, with_sign_of(shrunk, moved))
