"""exp(−x) for x ≥ 0 to more than float64's digits, with the same bits on every machine.

The C library's exp differs in the last bit between versions and processors. Here only sums,
products and quotients of float64 are used, each rounded on its own as IEEE 754 says. A number is a
*pair* (high, low) of float64 whose sum is meant, some 100 bits: T. J. Dekker, "A floating-point
technique for extending the available precision", Numer. Math. 18, 224 (1971).
"""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pair = tuple[Array, Array]

#: ln 2 = Σ 1/(n 2ⁿ); the rest after 120 terms is below 2⁻¹²⁶.
_LN_2 = sum(Fraction(1, n * 2**n) for n in range(1, 121))
#: Its first 32 bits, whose products with numbers up to 2²¹ are exact, and the rest as a pair.
_LN_2_START = math.floor(_LN_2 * 2**32) / 2**32
_LN_2_HIGH = float(_LN_2 - Fraction(_LN_2_START))
_LN_2_LOW = float(_LN_2 - Fraction(_LN_2_START) - Fraction(_LN_2_HIGH))
#: Terms of the series of exp: |r| ≤ ln 2/2, so what follows r¹⁷/17! is below 10⁻²³.
_DEGREE = 17
#: Terms from this one on are so small that float64 has all the digits that count.
_FIRST_PLAIN = 6
_SPLITTER = 2.0**27 + 1.0
_LARGEST = 170.0


def exponential_minus_one(x: Array) -> tuple[Pair, Array]:
    """The pair m and the whole numbers k of exp(−x) = 2ᵏ (1 + m), |m| < 0.42.

    For x < 0.34 k is 0 and m = exp(−x) − 1, to a relative error of 10⁻²⁷ or so.

    Args:
        x: (n,) ≥ 0. Above 170, exp(−x) is taken for exp(−170) = 1e-74.
    """
    x = np.minimum(x, _LARGEST)
    k = -np.rint(x * (1.0 / _LN_2_START))
    # −x − k ln 2; the first difference is exact.
    high, low = _two_sum(-x - k * _LN_2_START, -k * _LN_2_HIGH)
    r = _two_sum(high, low + _two_product(-k, _full(x, _LN_2_HIGH))[1] - k * _LN_2_LOW)
    plain = _full(x, 0.0)
    for n in range(_DEGREE, _FIRST_PLAIN - 1, -1):
        plain = plain * r[0] + 1.0 / math.factorial(n)
    series = (plain, _full(x, 0.0))
    for n in range(_FIRST_PLAIN - 1, 0, -1):
        series = add(multiply(series, r), _constant(x, Fraction(1, math.factorial(n))))
    return multiply(series, r), k


def add(a: Pair, b: Pair) -> Pair:
    """Sum of two pairs."""
    high, low = _two_sum(a[0], b[0])
    return _two_sum(high, low + (a[1] + b[1]))


def multiply(a: Pair, b: Pair) -> Pair:
    """Product of two pairs."""
    high, low = _two_product(a[0], b[0])
    return _two_sum(high, low + (a[0] * b[1] + a[1] * b[0]))


def ratio(a: Pair, b: Pair) -> Array:
    """Quotient of two pairs, rounded to float64."""
    first = a[0] / b[0]
    product = multiply((first, _full(first, 0.0)), b)
    rest = (a[0] - product[0]) + (a[1] - product[1])
    return first + rest / b[0]


def _two_sum(a: Array, b: Array) -> Pair:
    """a + b as a pair, exactly (D. E. Knuth)."""
    total = a + b
    b_part = total - a
    return total, (a - (total - b_part)) + (b - b_part)


def _two_product(a: Array, b: Array) -> Pair:
    """a b as a pair, exactly: by halves of 26 bits (G. W. Veltkamp, in Dekker's paper)."""
    a_high, b_high = (a * _SPLITTER), (b * _SPLITTER)
    a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    product = a * b
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _constant(like: Array, value: Fraction) -> Pair:
    high = float(value)
    return _full(like, high), _full(like, float(value - Fraction(high)))


def _full(like: Array, value: float) -> Array:
    return np.full_like(like, value)
