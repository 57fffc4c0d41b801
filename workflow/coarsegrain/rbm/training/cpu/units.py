"""±1 units in their fields, 32 at a time: means tanh x and draws with σ(2x), in float32.

e^x = 2ⁿ e^r with r = x - n ln 2, |r| ≤ ln 2 / 2, and e^r - 1 by its series. Sums and products in
one order, none of them fused, so the bits are the same on every processor.
"""

import math

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.philox import philox4x32
from coarsegrain.simd import (
    absolute,
    at_least,
    at_most,
    bits_where_less,
    chosen_where_less,
    load_upper_bits,
    power_of_two,
    splat,
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
_ONE, _TWO, _HALF = F32(1), F32(2), F32(0.5)
#: e^-80 is nothing beside 1 in float32, and e^80 no overflow.
_FARTHEST = F32(80)
#: Numbers that a random word can be: its upper 23 bits.
_WORDS = F32(2**23)


@kernel
def _reduced(x):  # type: ignore[no-untyped-def]
    """2ⁿ and e^r - 1 with e^x = 2ⁿ e^r, for a vector with |x| ≤ 80."""
    n = (x * splat(_LOG2_E) + splat(_ROUNDING)) - splat(_ROUNDING)
    r = (x - n * splat(_LN2_HIGH)) - n * splat(_LN2_LOW)
    y = splat(_C7) * r + splat(_C6)
    y = y * r + splat(_C5)
    y = y * r + splat(_C4)
    y = y * r + splat(_C3)
    y = y * r + splat(_C2)
    return power_of_two(n), y * (r * r) + r


@kernel
def hyperbolic_tangent(x):  # type: ignore[no-untyped-def]
    """tanh x of a vector: -q/(2 + q) with q = e^(-2|x|) - 1, and the sign of x."""
    power, y = _reduced(at_least(splat(-_TWO) * absolute(x), splat(-_FARTHEST)))
    q = power * y + (power - splat(_ONE))
    zero = splat(F32(0))
    return with_sign_of((zero - q) / (splat(_TWO) + q), x)


@kernel
def _scaled_draw(x, words, start):  # type: ignore[no-untyped-def]
    """(f + ½)(1 + e^(-2x)): below 2²³ with the probability σ(2x).

    f is one of 0 … 2²³ - 1, all alike: the upper bits of a random word. So the units' probabilities
    are multiples of 2⁻²³, and those of +1 in the fields x and -x add up to 1.
    """
    exponent = at_most(at_least(splat(-_TWO) * x, splat(-_FARTHEST)), splat(_FARTHEST))
    power, y = _reduced(exponent)
    f = load_upper_bits(words, start) + splat(_HALF)
    return f + f * (power * y + power)


@kernel
def drawn_bits(x, words, start):  # type: ignore[no-untyped-def]
    """Draw 32 units in the fields x: bits, 1 for +1.

    Args:
        x: vector of fields.
        words: random uint32; those from ``start`` on are used.
        start: where in ``words``.
    """
    return bits_where_less(_scaled_draw(x, words, start), splat(_WORDS))


@kernel
def drawn_signs(x, words, start):  # type: ignore[no-untyped-def]
    """Draw 32 units in the fields x: numbers ±1; arguments as above."""
    up, down = splat(_ONE), splat(-_ONE)
    return chosen_where_less(_scaled_draw(x, words, start), splat(_WORDS), up, down)


@kernel
def fill_with_random_words(words, first, chain, step, stream, key0, key1):  # type: ignore[no-untyped-def]
    """Philox words of the counters (first, stream, step, chain), (first + 1, …), …

    Args:
        words: (n,) uint32, n a multiple of 4; word r of the q-th counter becomes words[r n/4 + q].
        first: first counter word.
        chain: fourth counter word.
        step: third counter word.
        stream: second counter word.
        key0: lower half of the key.
        key1: upper half of the key.
    """
    quarter = len(words) // 4
    c1, c2, c3 = np.uint64(stream), np.uint64(step), np.uint64(chain)
    for q in range(quarter):
        x0, x1, x2, x3 = philox4x32(np.uint64(first + q), c1, c2, c3, key0, key1)
        words[q] = x0
        words[quarter + q] = x1
        words[2 * quarter + q] = x2
        words[3 * quarter + q] = x3
