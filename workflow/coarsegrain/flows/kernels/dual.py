"""The part of the dual's energy that is no product with a matrix: Σ ln cosh x, and tanh x."""

import math

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, absolute, load, splat, store
from coarsegrain.vector_math import exponential, hyperbolic_tangent, logarithm

F32 = np.float32
_LOG_TWO = F32(math.log(2))


@kernel
def log_cosh_and_tangent(x, log_cosh, tangent):  # type: ignore[no-untyped-def]
    """Σ ln cosh x of every sample, and tanh x of every site.

    ln cosh x = |x| + ln(1 + e^(−2|x|)) − ln 2

    Args:
        x: (blocks, N LANES) float32.
        log_cosh: (blocks, LANES) to be filled.
        tangent: (blocks, N LANES) to be filled.
    """
    one, minus_two = splat(F32(1)), splat(F32(-2))
    for block in range(len(x)):
        row, sums = x[block], splat(F32(0))
        for at in range(0, len(row), LANES):
            value = load(row, at)
            size = absolute(value)
            sums = sums + (size + logarithm(one + exponential(minus_two * size)) - splat(_LOG_TWO))
            store(tangent[block], at, hyperbolic_tangent(value))
        store(log_cosh[block], 0, sums)
