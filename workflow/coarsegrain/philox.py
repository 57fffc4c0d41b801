"""Philox4x32-10: random bits that are a function of a counter and a key.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011). There is
no state to carry along: whoever knows (counter, key) has the bits, on any device and in any order.
"""

import numpy as np

from coarsegrain.jit import kernel, word_function

ROUNDS = 10
#: What words 0 and 2 of the counter are multiplied by, and what is added to the key's halves.
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@word_function
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four random 32-bit words for a counter (c0, c1, c2, c3) and a key (k0, k1).

    All arguments and results are 32-bit values in uint64. Within the rounds the upper halves hold
    leftovers: only lower halves enter a product, which is what one vector instruction does.
    """
    for _ in range(ROUNDS):
        product_0 = (c0 & _LOW) * MULTIPLIER_0
        product_1 = (c2 & _LOW) * MULTIPLIER_1
        c0 = (product_1 >> _32) ^ c1 ^ k0
        c1 = product_1
        c2 = (product_0 >> _32) ^ c3 ^ k1
        c3 = product_0
        k0 = k0 + WEYL_0
        k1 = k1 + WEYL_1
    return c0 & _LOW, c1 & _LOW, c2 & _LOW, c3 & _LOW


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
