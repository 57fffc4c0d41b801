"""exp, tanh and ln of vectors of float32: the same bits on every processor.

libm and numpy choose among several such functions by the processor, which differ in the last bits.
Here sums and products are made in one order, none of them fused.

    e^x = 2ⁿ e^r with r = x − n ln 2, |r| ≤ ln 2/2, and e^r − 1 by its series;
    ln x = n ln 2 + 2 artanh s with x = 2ⁿ m, s = (m − 1)/(m + 1), √½ ≤ m < √2.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    absolute,
    at_least,
    at_most,
    chosen_where_less,
    exponent_of,
    load,
    mantissa_of,
    power_of_two,
    splat,
    store,
    with_sign_of,
)

F32 = np.float32
_LOG2_E = F32(1 / math.log(2))
# ln 2 in two parts: the first has 15 bits, so that n times it is exact.
_LN2_HIGH = F32(math.floor(math.log(2) * 2**15) / 2**15)
_LN2_LOW = F32(math.log(2) - float(_LN2_HIGH))
# Added and taken away again, it rounds a number to the nearest whole one.
_ROUNDING = F32(1.5 * 2**23)
_C2, _C3, _C4, _C5, _C6, _C7 = (F32(1 / math.factorial(k)) for k in range(2, 8))
_A3, _A5, _A7, _A9 = (F32(1 / k) for k in (3, 5, 7, 9))
_ONE, _TWO, _HALF, _ROOT_TWO = F32(1), F32(2), F32(0.5), F32(math.sqrt(2))
#: e^-80 is nothing beside 1 in float32, and e^80 no overflow.
FARTHEST = F32(80)


@kernel
def reduced_exponential(x):  # type: ignore[no-untyped-def]
    """2ⁿ and e^r − 1 with e^x = 2ⁿ e^r, for a vector with |x| ≤ 80."""
    n = (x * splat(_LOG2_E) + splat(_ROUNDING)) - splat(_ROUNDING)
    r = (x - n * splat(_LN2_HIGH)) - n * splat(_LN2_LOW)
    y = splat(_C7) * r + splat(_C6)
    y = y * r + splat(_C5)
    y = y * r + splat(_C4)
    y = y * r + splat(_C3)
    y = y * r + splat(_C2)
    return power_of_two(n), y * (r * r) + r


@kernel
def exponential(x):  # type: ignore[no-untyped-def]
    """e^x of a vector; beyond ±80 it is e^±80."""
    power, y = reduced_exponential(at_most(at_least(x, splat(-FARTHEST)), splat(FARTHEST)))
    return power * y + power


@kernel
def hyperbolic_tangent(x):  # type: ignore[no-untyped-def]
    """tanh x of a vector: -q/(2 + q) with q = e^(-2|x|) - 1, and the sign of x."""
    power, y = reduced_exponential(at_least(splat(-_TWO) * absolute(x), splat(-FARTHEST)))
    q = power * y + (power - splat(_ONE))
    zero = splat(F32(0))
    return with_sign_of((zero - q) / (splat(_TWO) + q), x)


@kernel
def logarithm(x):  # type: ignore[no-untyped-def]
    """ln x of a vector of positive normal numbers."""
    n, m = exponent_of(x), mantissa_of(x)
    one = splat(_ONE)
    n = chosen_where_less(m, splat(_ROOT_TWO), n, n + one)
    m = chosen_where_less(m, splat(_ROOT_TWO), m, m * splat(_HALF))
    s = (m - one) / (m + one)
    square = s * s
    y = splat(_A9) * square + splat(_A7)
    y = y * square + splat(_A5)
    y = y * square + splat(_A3)
    y = y * square + one
    return n * splat(_LN2_HIGH) + (n * splat(_LN2_LOW) + (s + s) * y)


@kernel
def _exponentials(x):  # type: ignore[no-untyped-def]
    for at in range(0, len(x), LANES):
        store(x, at, exponential(load(x, at)))


@kernel
def _logarithms(x):  # type: ignore[no-untyped-def]
    for at in range(0, len(x), LANES):
        store(x, at, logarithm(load(x, at)))


@kernel
def _hyperbolic_tangents(x):  # type: ignore[no-untyped-def]
    for at in range(0, len(x), LANES):
        store(x, at, hyperbolic_tangent(load(x, at)))


def exponentials(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """e^x of every number of an array, in float32."""
    return _of_array(_exponentials, x)


def logarithms(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """ln x of every positive number of an array, in float32."""
    return _of_array(_logarithms, x)


def hyperbolic_tangents(
    x: npt.NDArray[np.floating], out: npt.NDArray[np.floating] | None = None
) -> npt.NDArray[np.floating]:
    """Tanh x of every number of an array of float32, the same bits on every processor.

    Of other precisions it is numpy's, which is libm's where numpy is told to use no more than all
    processors of a kind have (``processor``).
    """
    if x.dtype != np.float32:
        return np.asarray(np.tanh(x, out=out))
    if out is None:
        return _of_array(_hyperbolic_tangents, x)
    out[...] = _of_array(_hyperbolic_tangents, x)
    return out


def _of_array(function: Any, x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    numbers = np.asarray(x, dtype=np.float32)
    filled = np.ones(-(-numbers.size // LANES) * LANES, dtype=np.float32)
    filled[: numbers.size] = numbers.reshape(-1)
    function(filled)
    return filled[: numbers.size].reshape(numbers.shape)
