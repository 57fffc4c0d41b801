"""Philox4x32-10: random bits that are a function of a counter and a key.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011). There is
no state to carry along: whoever knows (counter, key) has the bits, on any device and in any order.

The counter of this sampler is (block, stream, step, lattice), the key is the seed. A *stream* is
one machine word of decisions of one kind (``stream_number``); its blocks 0, 1, 2, … are drawn only
as far as they are needed, and each holds two *planes* of 64 random bits (``planes``).
"""

import numpy as np

from coarsegrain.jit import word_function

ROUNDS = 10
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
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
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four random 32-bit words for a counter (c0, c1, c2, c3) and a key (k0, k1).

    All arguments and results are 32-bit values in uint64. Within the rounds the upper halves hold
    leftovers: only lower halves enter a product, which is what one vector instruction does.
    """
    for _ in range(ROUNDS):
        product_0 = (c0 & _LOW) * _MULTIPLIER_0
        product_1 = (c2 & _LOW) * _MULTIPLIER_1
        c0 = (product_1 >> _32) ^ c1 ^ k0
        c1 = product_1
        c2 = (product_0 >> _32) ^ c3 ^ k1
        c3 = product_0
        k0 = k0 + _WEYL_0
        k1 = k1 + _WEYL_1
    return c0 & _LOW, c1 & _LOW, c2 & _LOW, c3 & _LOW


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
