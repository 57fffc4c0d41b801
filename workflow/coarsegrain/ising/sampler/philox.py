"""The sampler's random bits: which counter of Philox4x32-10 each decision has.

The counter of this sampler is (block, stream, step, lattice), the key is the seed. A *stream* is
one machine word of decisions of one kind (``stream_number``); its blocks 0, 1, 2, … are drawn only
as far as they are needed, and each holds two *planes* of 64 random bits (``planes``).
"""

from typing import NamedTuple

import numpy as np

from coarsegrain.ising.sampler.layout import LANES, Words, exchange_halves
from coarsegrain.ising.sampler.word_vectors import (
    load_words,
    splat_word,
    store_words,
)
from coarsegrain.jit import kernel, lean_kernel, vector_function, word_function
from coarsegrain.philox import (
    MULTIPLIER_0,
    MULTIPLIER_1,
    ROUNDS,
    WEYL_0,
    WEYL_1,
    philox4x32,
)

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
    """Two words of 64 random bits: planes 2·block and 2·block + 1 of a stream.

    The definition. Kernels draw the same bits in vectors, by ``early_planes`` and ``late_planes``.
    """
    x0, x1, x2, x3 = philox4x32(block, stream, step, lattice, k0, k1)
    return x0 | (x1 << _32), x2 | (x3 << _32)


#: Lattices whose random numbers are drawn in one vector.
VECTOR = 8
#: Blocks that are drawn for all lanes: most streams need the first ones. It decides no bit.
EARLY_BLOCKS = 4

_LOW = np.uint64(0xFFFFFFFF)


class Counters(NamedTuple):
    """Counters of LANES lattices side by side, and what Philox makes of them in its first rounds.

    Two products per round, of words 0 and 2 of the counter. Those of round 1, the one of word 2
    in round 2 and the one of word 0 in round 3 know nothing of the stream: they are the same for
    all streams of a step, and for all that a lane draws.
    """

    #: Third counter word: (LANES,), or one word if it is the same for all lanes.
    step: Words | np.uint64
    #: (LANES,) fourth counter word.
    lattice: Words
    #: The key's lower and upper half.
    k0: np.uint64
    k1: np.uint64
    #: Product of word 2 in round 1, as many as there are steps.
    product_1: Words | np.uint64
    #: (EARLY_BLOCKS, LANES) product of word 2 in round 2.
    product_2: Words
    #: (EARLY_BLOCKS, LANES) product of word 0 in round 3.
    product_3: Words


@kernel
def consecutive_lanes(
    step: np.uint64, first_lattice: np.uint64, k0: np.uint64, k1: np.uint64
) -> Counters:
    """Counters of lanes at the same step, with lattices from ``first_lattice`` on."""
    lattice = np.empty(LANES, dtype=np.uint64)
    for lane in range(LANES):
        lattice[lane] = first_lattice + np.uint64(lane)
    product_2 = np.empty((EARLY_BLOCKS, LANES), dtype=np.uint64)
    product_3 = np.empty((EARLY_BLOCKS, LANES), dtype=np.uint64)
    counters = Counters(step, lattice, k0, k1, _times_1(step), product_2, product_3)
    first_products(counters)
    return counters


@kernel
def lane_counters(step: Words, lattice: Words, k0: np.uint64, k1: np.uint64) -> Counters:
    """Counters of lanes with steps and lattices of their own, (LANES,) each."""
    product_1 = np.empty(LANES, dtype=np.uint64)
    for lane in range(LANES):
        product_1[lane] = _times_1(step[lane])
    product_2 = np.empty((EARLY_BLOCKS, LANES), dtype=np.uint64)
    product_3 = np.empty((EARLY_BLOCKS, LANES), dtype=np.uint64)
    counters = Counters(step, lattice, k0, k1, product_1, product_2, product_3)
    first_products(counters)
    return counters


@lean_kernel
def first_products(counters: Counters) -> None:
    """Fill in ``product_2`` and ``product_3``."""
    k0, k1 = counters.k0, counters.k1
    for lane in range(0, LANES, VECTOR):
        of_step = load_words(counters.product_1, lane, VECTOR)
        for block in range(EARLY_BLOCKS):
            of_block = np.uint64(block) * MULTIPLIER_0
            lattice = load_words(counters.lattice, lane, VECTOR)
            of_lattice = _times_1(lattice ^ ((of_block >> _32) ^ k1))
            store_words(counters.product_2, block * LANES + lane, of_lattice)
            c0 = (of_lattice >> _32) ^ of_step ^ (k0 + WEYL_0)
            store_words(counters.product_3, block * LANES + lane, _times_0(c0))


@vector_function
def _times_0(word):  # type: ignore[no-untyped-def]
    """Product of the lower halves of words with Philox's first multiplier."""
    return (word & _LOW) * MULTIPLIER_0


@vector_function
def _times_1(word):  # type: ignore[no-untyped-def]
    """The same with its second multiplier."""
    return (word & _LOW) * MULTIPLIER_1


@vector_function
def stream_products(counters, stream, lane):  # type: ignore[no-untyped-def]
    """Products of word 0 in round 2, the same for all blocks: for the vector from ``lane`` on.

    One word if the step is one.
    """
    c0 = (load_words(counters.product_1, lane, VECTOR) >> _32) ^ (stream ^ counters.k0)
    return _times_0(c0)


@vector_function
def early_planes(counters, of_stream, block, lane):  # type: ignore[no-untyped-def]
    """``planes`` of a block below EARLY_BLOCKS, for the vector of lanes from ``lane`` on.

    ``of_stream`` are its ``stream_products``.
    """
    k0, k1 = counters.k0, counters.k1
    of_lattice = load_words(counters.product_2, block * LANES + lane, VECTOR)
    of_both = load_words(counters.product_3, block * LANES + lane, VECTOR)
    of_block = (np.uint64(block) * MULTIPLIER_0) & _LOW
    product = _times_1((of_stream >> _32) ^ (of_block ^ (k1 + WEYL_1)))
    c0 = of_lattice ^ ((product >> _32) ^ (k0 + WEYL_0 + WEYL_0))
    c2 = (of_both >> _32) ^ (of_stream ^ (k1 + WEYL_1 + WEYL_1))
    return _last_rounds(c0, splat_word(product, VECTOR), c2, of_both, k0, k1, 3)


@vector_function
def late_planes(block, stream, step, lattice, k0, k1):  # type: ignore[no-untyped-def]
    """``planes`` of vectors of streams, steps and lattices."""
    of_block, of_step = block * MULTIPLIER_0, _times_1(step)
    product_0 = _times_0(stream ^ ((of_step >> _32) ^ k0))
    product_1 = _times_1(lattice ^ ((of_block >> _32) ^ k1))
    c0 = (product_1 >> _32) ^ of_step ^ (k0 + WEYL_0)
    c2 = (product_0 >> _32) ^ ((of_block & _LOW) ^ (k1 + WEYL_1))
    return _last_rounds(c0, product_1, c2, product_0, k0, k1, 2)


@vector_function
def _last_rounds(c0, c1, c2, c3, k0, k1, done):  # type: ignore[no-untyped-def]
    """Philox from round ``done`` + 1 on, in vectors, and its result as two planes.

    As in ``philox4x32``, upper halves hold leftovers. In the last round a plane is a product with
    its halves exchanged, and the rest of the round in its lower half.
    """
    k0 += np.uint64(done) * WEYL_0
    k1 += np.uint64(done) * WEYL_1
    for _ in range(done, ROUNDS - 1):
        product_0, product_1 = _times_0(c0), _times_1(c2)
        c0, c1 = (product_1 >> _32) ^ c1 ^ k0, product_1
        c2, c3 = (product_0 >> _32) ^ c3 ^ k1, product_0
        k0 += WEYL_0
        k1 += WEYL_1
    plane_0 = exchange_halves(_times_1(c2), _32) ^ ((c1 ^ k0) & _LOW)
    plane_1 = exchange_halves(_times_0(c0), _32) ^ ((c3 ^ k1) & _LOW)
    return plane_0, plane_1
