"""The sampler's random bits: which counter of Philox4x32-10 each decision has.

The counter of this sampler is (block, stream, step, lattice), the key is the seed. A *stream* is
one machine word of decisions of one kind (``stream_number``); its blocks 0, 1, 2, … are drawn only
as far as they are needed, and each holds two *planes* of 64 random bits (``planes``).
"""

import numpy as np

from coarsegrain.jit import word_function
from coarsegrain.philox import philox4x32

_32 = np.uint64(32)

#: Kinds of decision, one range of streams each.
START = np.uint64(0)
SEED_SITE = np.uint64(1)
RIGHT_BONDS = np.uint64(2)
DOWN_BONDS = np.uint64(3)
HEAT_BATH = np.uint64(4)  # first checkerboard colour; the second is 5
MONOTONE_HEAT_BATH = np.uint64(6)  # the same of exact sampling: 6 and 7
_KIND_SHIFT = np.uint64(24)


@word_function
def stream_number(kind: np.uint64, word: int) -> np.uint64:
    """Second counter word: the kind of decision and the index of its machine word (< 2**24)."""
    return (kind << _KIND_SHIFT) | np.uint64(word)


@word_function
def planes(
    block: np.uint64,
    stream: np.uint64,
    step: np.uint64,
    lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
) -> tuple[np.uint64, np.uint64]:
    """Two words of 64 random bits: planes 2·block and 2·block + 1 of a stream."""
    x0, x1, x2, x3 = philox4x32(block, stream, step, lattice, k0, k1)
    return x0 | (x1 << _32), x2 | (x3 << _32)
