"""exp, tanh and ELU by fused multiply-adds: what ``vector_math`` has in half as many operations.

    e^x = 2ⁿ 2^f,  n + f = x log₂ e,  |f| ≤ ½,  2^f − 1 = f times a polynomial.

tanh is right within 2e-6 of its value, ELU within 2e-7 of 1 or of its value where that is more, exp
within 3e-7 + 3e-8 |x| of its value.
"""

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    absolute,
    at_least,
    at_most,
    multiply_add,
    power_of_rounded,
    splat,
    with_sign_of,
)
from coarsegrain.vector_math import FARTHEST

F32 = np.float32
_LOG2_E = F32(1.4426950408889634)
# Added and taken away again, it rounds a number to the nearest whole one.
_ROUNDING = F32(1.5 * 2**23)
_ONE, _TWO = F32(1), F32(2)
# (2^f − 1)/f by powers of f, |f| ≤ ½: of the polynomials of degree 4 the one whose 2^f is off by
# the least, 1e-7.
_C0, _C1, _C2, _C3, _C4 = (
    F32(c) for c in (0.69314724, 0.24022235, 0.055503085, 0.009671875, 0.0013407259)
)


@kernel
def _parts(x):  # type: ignore[no-untyped-def]
    """2ⁿ and 2^f − 1 with e^x = 2ⁿ 2^f, for a vector with |x| ≤ 80."""
    rounded = multiply_add(x, splat(_LOG2_E), splat(_ROUNDING))
    power, n = power_of_rounded(rounded), rounded - splat(_ROUNDING)
    f = multiply_add(x, splat(_LOG2_E), splat(F32(0)) - n)
    y = multiply_add(splat(_C4), f, splat(_C3))
    y = multiply_add(y, f, splat(_C2))
    y = multiply_add(y, f, splat(_C1))
    return power, multiply_add(y, f, splat(_C0)) * f


@kernel
def exponential(x):  # type: ignore[no-untyped-def]
    """e^x of a vector; beyond ±80 it is e^±80."""
    power, y = _parts(at_most(at_least(x, splat(-FARTHEST)), splat(FARTHEST)))
    return multiply_add(power, y, power)


@kernel
def tangent(x):  # type: ignore[no-untyped-def]
    """tanh x of a vector: -q/(2 + q) with q = e^(-2|x|) - 1, and the sign of x."""
    power, y = _parts(at_least(splat(-_TWO) * absolute(x), splat(-FARTHEST)))
    q = multiply_add(power, y, power - splat(_ONE))
    return with_sign_of(q / (splat(_TWO) + q), x)


@kernel
def elu(x):  # type: ignore[no-untyped-def]
    """x > 0: x, else e^x − 1, of a vector.

    It must not be in memory: LLVM makes a masked store of a choice between a number and what stands
    in its place, at which AMD's processors are slow.
    """
    power, y = _parts(at_most(at_least(x, splat(-FARTHEST)), splat(F32(0))))
    return at_least(x, multiply_add(power, y, power - splat(_ONE)))
