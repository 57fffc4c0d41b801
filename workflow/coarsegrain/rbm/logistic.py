"""exp, ln 2cosh and σ(2x) in double precision: the same bits on every processor.

libm and numpy choose among several such functions by the processor, which differ in the last bits.
These are products and sums in one order, with a relative error of some 1e-16.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel, word_function

FloatArray = npt.NDArray[np.floating]

_LOG2_E = 1 / math.log(2)
# ln 2 in two parts: the first has 32 bits, so that n times it is exact.
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOWEST = -708.0  # e^x is a normal number above
# 1/k!, k = 13 … 0: the next term is below 2e-17 at |x| = ln 2 / 2.
_TAYLOR = tuple(1 / math.factorial(k) for k in range(13, -1, -1))
# 1/(2k + 1), k = 17 … 0: the next term is below 2e-18 at s = 1/3.
_ATANH = tuple(1 / (2 * k + 1) for k in range(17, -1, -1))


@word_function
def exp_of_negative(x: float) -> float:
    """e^x for x ≤ 0; 0 below -708.

    x = n ln 2 + r, |r| ≤ ln 2 / 2, e^x = 2ⁿ Σ rᵏ/k!
    """
    n = math.floor(max(x, _LOWEST) * _LOG2_E + 0.5)
    r = (max(x, _LOWEST) - n * _LN2_HIGH) - n * _LN2_LOW
    y = 0.0
    for c in _TAYLOR:
        y = y * r + c
    power = 1.0
    square = 0.5
    k = -int(n)
    while k > 0:  # 2ⁿ, exactly
        if k & 1:
            power *= square
        square *= square
        k >>= 1
    return y * power if x >= _LOWEST else 0.0


@word_function
def log_of_one_plus(u: float) -> float:
    """ln(1 + u) for 0 ≤ u ≤ 1: 2 artanh s = 2 Σ s^(2k+1)/(2k+1), s = u/(2 + u) ≤ 1/3."""
    s = u / (2.0 + u)
    square, y = s * s, 0.0
    for c in _ATANH:
        y = y * square + c
    return 2.0 * s * y


@word_function
def log_2cosh_of(x):  # type: ignore[no-untyped-def]
    """ln 2cosh x = |x| + ln(1 + e^(-2|x|))."""
    return abs(x) + log_of_one_plus(exp_of_negative(-2.0 * abs(x)))


@word_function
def probability_up_of(x):  # type: ignore[no-untyped-def]
    """σ(2x) = 1/(1 + e^(-2x)): that a unit in the field x is +1."""
    e = exp_of_negative(-2.0 * abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)


def _over(function: Any) -> Callable[[FloatArray], None]:
    @kernel
    def loop(x):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            x[i] = function(x[i])

    return loop  # type: ignore[no-any-return]


_log_2cosh = _over(log_2cosh_of)
_probability_up = _over(probability_up_of)


def log_2cosh(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """ln 2cosh x of every number, in float64."""
    y = np.array(x, dtype=np.float64)
    _log_2cosh(y.reshape(-1))
    return y


def probability_up(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """σ(2x) of every number, in float64: that ±1 units in these fields are +1."""
    y = np.array(x, dtype=np.float64)
    _probability_up(y.reshape(-1))
    return y
