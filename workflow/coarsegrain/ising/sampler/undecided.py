"""Comparisons of random numbers with thresholds, many at a time, until all are decided.

A word asks 64 questions "is U below T?" (``thresholds``). A plane of random bits decides half of
those still open, so some words are done after three blocks and one in a hundred takes seven.
Lanes in step would all wait for the slowest. So the first blocks, three or four, are drawn for all
words, and those with a question left are listed (``list_undecided``); then the list is worked off
VECTOR entries at a time, whichever words and lanes they come from (``decide_listed``). A counter
says which bits are whose, so none of this decides a bit.
"""

from typing import NamedTuple

import numpy as np

from coarsegrain.ising.sampler.layout import LANES, ONE, Words
from coarsegrain.ising.sampler.philox import EARLY_BLOCKS, VECTOR, late_planes
from coarsegrain.ising.sampler.thresholds import PLANES, compare
from coarsegrain.ising.sampler.word_vectors import (
    gather_words,
    load_words,
    lowest_bit,
    sign_masks,
    store_words,
)
from coarsegrain.jit import kernel, lean_kernel, vector_function

#: Words whose open comparisons are listed together.
LISTED_WORDS = 16
_ZERO = np.uint64(0)
_LANE = np.uint64(LANES - 1)
_LANE_BITS = np.uint64(LANES.bit_length() - 1)


class Undecided(NamedTuple):
    """A list of words with open comparisons, with room for LISTED_WORDS words of all lanes."""

    #: Word of the list times LANES + lane.
    place: Words
    #: Bits that wait for the comparison with their lane's first and second threshold.
    first: Words
    second: Words
    #: (4, VECTOR) work space.
    work: Words


@kernel
def no_comparisons() -> Undecided:
    """An empty list."""
    size = LISTED_WORDS * LANES + VECTOR
    return Undecided(
        np.zeros(size, dtype=np.uint64),
        np.zeros(size, dtype=np.uint64),
        np.zeros(size, dtype=np.uint64),
        np.zeros((4, VECTOR), dtype=np.uint64),
    )


@kernel
def early_threshold_planes(threshold: Words) -> Words:
    """The planes (2 EARLY_BLOCKS, LANES) of thresholds (LANES,): all ones or 0."""
    planes = np.empty((2 * EARLY_BLOCKS, LANES), dtype=np.uint64)
    for plane in range(2 * EARLY_BLOCKS):
        for lane in range(0, LANES, VECTOR):
            bits = load_words(threshold, lane, VECTOR) << np.uint64(plane)
            store_words(planes, plane * LANES + lane, sign_masks(bits))
    return planes


@vector_function
def compare_blocks(undecided, bits_0, bits_1, plane_0, plane_1):  # type: ignore[no-untyped-def]
    """Two planes of a comparison (``thresholds.compare``): bits found below, bits still open."""
    below_0, left = compare(undecided, bits_0, plane_0)
    below_1, left = compare(left, bits_1, plane_1)
    return below_0 | below_1, left


@vector_function
def list_undecided(undecided, count, word, lanes, first, second):  # type: ignore[no-untyped-def]
    """Put the lanes of a word that have open bits on the list; returns its new length.

    ``lanes`` has a bit for each such lane. ``first`` and ``second`` are (LANES,); ``second`` may be
    None, for comparisons with one threshold.
    """
    while lanes != _ZERO:
        lane = lowest_bit(lanes)
        lanes &= lanes - ONE
        undecided.place[count] = np.uint64(word * LANES + lane)
        undecided.first[count] = first[lane]
        if second is not None:
            undecided.second[count] = second[lane]
        count += 1
    return count


@lean_kernel
def decide_listed(  # type: ignore[no-untyped-def]
    undecided, count, below_first, below_second, start, threshold_first, threshold_second,
    counters, first_stream, first_block,
):  # fmt: skip
    """Decide all comparisons on the list, from block ``first_block`` on.

    Args:
        undecided: the list.
        count: its length.
        below_first: array of words; bits found below the first threshold are inverted there.
        below_second: the same for the second threshold, or None where there is one only.
        start: where the list's word 0, lane 0 lies in these arrays.
        threshold_first: (LANES,).
        threshold_second: (LANES,) or None.
        counters: of the lanes.
        first_stream: stream of the list's word 0; the others' follow.
        first_block: the first that has not been drawn.
    """
    place, first, second = undecided.place, undecided.first, undecided.second
    found_first, found_second, left_first, left_second = (
        undecided.work[0], undecided.work[1], undecided.work[2], undecided.work[3]
    )  # fmt: skip
    block = np.uint64(first_block)
    while count > 0:
        for i in range(count, count + VECTOR):  # fills the last vector
            first[i] = _ZERO
            second[i] = _ZERO
        plane = np.uint64(2) * block
        remaining = np.int64(0)
        for i in range(0, count, VECTOR):
            stream = (load_words(place, i, VECTOR) >> _LANE_BITS) + first_stream
            step = gather_words(counters.step, place, i, _LANE, VECTOR)
            lattice = gather_words(counters.lattice, place, i, _LANE, VECTOR)
            plane_0, plane_1 = late_planes(block, stream, step, lattice, counters.k0, counters.k1)
            threshold = gather_words(threshold_first, place, i, _LANE, VECTOR) << plane
            below, left = compare_blocks(
                load_words(first, i, VECTOR),
                sign_masks(threshold), sign_masks(threshold << np.uint64(1)), plane_0, plane_1,
            )  # fmt: skip
            store_words(found_first, 0, below)
            store_words(left_first, 0, left)
            if below_second is not None:
                threshold = gather_words(threshold_second, place, i, _LANE, VECTOR) << plane
                below, left = compare_blocks(
                    load_words(second, i, VECTOR),
                    sign_masks(threshold), sign_masks(threshold << np.uint64(1)), plane_0, plane_1,
                )  # fmt: skip
                store_words(found_second, 0, below)
                store_words(left_second, 0, left)
            for j in range(VECTOR):
                at = place[i + j]
                below_first[np.uint64(start) + at] ^= found_first[j]
                place[remaining] = at
                first[remaining] = left_first[j]
                is_open = left_first[j]
                if below_second is not None:
                    below_second[np.uint64(start) + at] ^= found_second[j]
                    second[remaining] = left_second[j]
                    is_open |= left_second[j]
                remaining += is_open != _ZERO
        count = remaining
        block += np.uint64(1)
        if block == np.uint64(PLANES // 2):
            break
