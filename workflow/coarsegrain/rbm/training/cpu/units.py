"""±1 units in their fields, 32 at a time: draws with σ(2x), in float32.

Sums and products in one order, none of them fused, so the bits are the same on every processor.
"""

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.simd import (
    at_least,
    at_most,
    bits_where_less,
    chosen_where_less,
    load_upper_bits,
    splat,
)
from coarsegrain.vector_math import FARTHEST, reduced_exponential

F32 = np.float32
_ONE, _TWO, _HALF = F32(1), F32(2), F32(0.5)
#: Numbers that a random word can be: its upper 23 bits.
_WORDS = F32(2**23)


@kernel
def _scaled_draw(x, words, start):  # type: ignore[no-untyped-def]
    """(f + ½)(1 + e^(-2x)): below 2²³ with the probability σ(2x).

    f is one of 0 … 2²³ - 1, all alike: the upper bits of a random word. So the units' probabilities
    are multiples of 2⁻²³, and those of +1 in the fields x and -x add up to 1.
    """
    exponent = at_most(at_least(splat(-_TWO) * x, splat(-FARTHEST)), splat(FARTHEST))
    power, y = reduced_exponential(exponent)
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
