"""Checkerboard heat bath on bit rows.

A spin in the local field h (sum of its four neighbours) becomes +1 with probability
1/(1 + exp(−2βh)). Written as: it takes the sign of h (+1 for h = 0), unless a random 64-bit U is
below T(|h|), then the opposite, with T the fixed-point 1/(1 + exp(2β|h|)) and T(0) = 2⁶³.

Sites of one colour in word rows y and y + 1 occupy complementary bits. The two are updated as one
full word, so that no random bit is drawn for a site of the other colour.
"""

import numpy as np

from coarsegrain.ising.sampler.layout import (
    LANES,
    RowLayout,
    Words,
    exchange_halves,
    left_neighbours,
    right_neighbours,
)
from coarsegrain.ising.sampler.philox import (
    EARLY_BLOCKS,
    HEAT_BATH,
    VECTOR,
    consecutive_lanes,
    early_planes,
    stream_number,
    stream_products,
)
from coarsegrain.ising.sampler.undecided import (
    LISTED_WORDS,
    compare_blocks,
    decide_listed,
    early_threshold_planes,
    list_undecided,
    no_comparisons,
)
from coarsegrain.ising.sampler.word_vectors import (
    lanes_with_bits,
    load_words,
    store_words,
)
from coarsegrain.jit import kernel, lean_kernel, vector_function

_ZERO = np.uint64(0)


@kernel
def heat_bath_sweep(
    spins: Words,
    against_2: Words,
    against_4: Words,
    step: np.uint64,
    first_lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
) -> None:
    """Update every site once: even row + column first, then odd.

    Args:
        spins: (word rows, words per row, LANES), changed in place.
        against_2: (LANES,) threshold T(2).
        against_4: (LANES,) threshold T(4).
        step: third counter word (``philox``).
        first_lattice: number of lane 0's lattice; the other lanes' follow.
        k0: lower half of the key.
        k1: its upper half.
        layout: of the lattice.
    """
    counters = consecutive_lanes(step, first_lattice, k0, k1)
    planes_2, planes_4 = early_threshold_planes(against_2), early_threshold_planes(against_4)
    new = np.empty(LISTED_WORDS * LANES, dtype=np.uint64)
    undecided = no_comparisons()
    left_2, left_4 = np.empty(LANES, dtype=np.uint64), np.empty(LANES, dtype=np.uint64)
    rows, words = layout.word_rows, layout.words_per_row
    for colour in range(2):
        upper = layout.even if colour == 0 else ~layout.even
        kind = HEAT_BATH + np.uint64(colour)
        for begin in range(0, rows * words, LISTED_WORDS):
            end = min(begin + LISTED_WORDS, rows * words)
            count = np.int64(0)
            for word in range(begin, end):
                y, w = divmod(word, words)
                if y % 2 == 0:
                    sites = updated_sites(y, w, upper, layout)
                    count = _turn_early(
                        spins, y, w, upper, sites, planes_2, planes_4, counters,
                        stream_number(kind, word), new, word - begin, undecided, count,
                        left_2, left_4, layout,
                    )  # fmt: skip
            decide_listed(
                undecided, count, new, new, 0, against_2, against_4,
                counters, stream_number(kind, begin), EARLY_BLOCKS,
            )  # fmt: skip
            for word in range(begin, end):
                y, w = divmod(word, words)
                if y % 2 == 0:
                    _set_spins(spins, new, word - begin, y, w, upper, layout)


@lean_kernel
def _turn_early(  # type: ignore[no-untyped-def]
    spins, y, w, upper, sites, planes_2, planes_4, counters, stream, new, slot, undecided, count,
    left_2, left_4, layout,
):  # fmt: skip
    """Draw the first blocks for the sites of a colour in word rows y and y + 1.

    A site turns against the sign of its field where U < T(|h|). h = 0 is decided by the first
    plane: U is below 2⁶³ if its most significant bit is 0.

    Args:
        spins: (word rows, words per row, LANES).
        y: the upper word row.
        w: word in the row.
        upper: the bits whose fields are those of word row y; the others are of row y + 1.
        sites: the bits that are updated.
        planes_2: (2 EARLY_BLOCKS, LANES) planes of T(2).
        planes_4: the same of T(4).
        counters: of the lanes.
        stream: of the word.
        new: (LISTED_WORDS · LANES,), where the new spins of word ``slot`` go, as far as decided.
        slot: number of the word on the list.
        undecided: the list.
        count: its length.
        left_2: (LANES,) work space.
        left_4: the same.
        layout: of the lattice.
    Returns:
        The list's new length.
    """
    waiting = _ZERO
    for lane in range(0, LANES, VECTOR):
        two, four, sign = local_fields(spins, y, w, lane, upper, layout)
        of_stream = stream_products(counters, stream, lane)
        plane_0, plane_1 = early_planes(counters, of_stream, 0, lane)
        turned = ~(two | four | plane_0)
        open_2, open_4 = two & sites, four & sites
        for block in range(EARLY_BLOCKS):
            if block > 0:
                plane_0, plane_1 = early_planes(counters, of_stream, block, lane)
            at = 2 * block * LANES + lane
            below, open_2 = compare_blocks(
                open_2, load_words(planes_2, at, VECTOR), load_words(planes_2, at + LANES, VECTOR),
                plane_0, plane_1,
            )  # fmt: skip
            turned |= below
            below, open_4 = compare_blocks(
                open_4, load_words(planes_4, at, VECTOR), load_words(planes_4, at + LANES, VECTOR),
                plane_0, plane_1,
            )  # fmt: skip
            turned |= below
        store_words(new, slot * LANES + lane, sign ^ turned)
        store_words(left_2, lane, open_2)
        store_words(left_4, lane, open_4)
        waiting |= lanes_with_bits(open_2 | open_4) << np.uint64(lane)
    return list_undecided(undecided, count, slot, waiting, left_2, left_4)


@lean_kernel
def _set_spins(spins, new, slot, y, w, upper, layout):  # type: ignore[no-untyped-def]
    for lane in range(0, LANES, VECTOR):
        spin = load_words(new, slot * LANES + lane, VECTOR)
        set_spins(spins, spin, y, w, lane, upper, layout)


@vector_function
def updated_sites(y, w, upper, layout):  # type: ignore[no-untyped-def]
    """Sites of a colour in word rows y and y + 1; an odd number of word rows leaves one alone."""
    return layout.sites[w] if y + 1 < layout.word_rows else layout.sites[w] & upper


@vector_function
def set_spins(spins, new, y, w, lane, upper, layout):  # type: ignore[no-untyped-def]
    """Give the sites of a colour in word rows y (at ``upper``) and y + 1 the spins of a vector."""
    words = layout.words_per_row
    upper_sites, lower_sites = layout.sites[w] & upper, layout.sites[w] & ~upper
    at = (y * words + w) * LANES + lane
    store_words(spins, at, either(upper_sites, new, load_words(spins, at, VECTOR)))
    if y + 1 < layout.word_rows:
        at += words * LANES
        store_words(spins, at, either(lower_sites, new, load_words(spins, at, VECTOR)))


@vector_function
def local_fields(spins, y, w, lane, upper, layout):  # type: ignore[no-untyped-def]
    """Local fields in word row y (at ``upper``) and in word row y + 1 (at the other bits).

    Args:
        spins: (word rows, words per row, LANES).
        y: the upper word row.
        w: word in the row.
        lane: the first of the vector.
        upper: the bits whose fields are those of word row y; the others are of row y + 1.
        layout: of the lattice.
    Returns:
        Vectors: the bits with |h| = 2, those with |h| = 4, and the sign of h, 1 for h ≥ 0.
    """
    rows, words = layout.word_rows, layout.words_per_row
    lower_y = y + 1 if y + 1 < rows else y
    above_y = y - 1 if y > 0 else rows - 1
    under_y = 0 if y + 1 == rows else y + 1
    below_y = 0 if lower_y + 1 == rows else lower_y + 1
    turn_above = layout.exchange if y == 0 else _ZERO
    turn_under = layout.exchange if under_y == 0 else _ZERO
    turn_below = layout.exchange if below_y == 0 else _ZERO
    column = w * LANES + lane
    row = words * LANES
    upper_row = load_words(spins, y * row + column, VECTOR)
    lower_row = load_words(spins, lower_y * row + column, VECTOR)
    above = exchange_halves(load_words(spins, above_y * row + column, VECTOR), turn_above)
    under = exchange_halves(load_words(spins, under_y * row + column, VECTOR), turn_under)
    below = exchange_halves(load_words(spins, below_y * row + column, VECTOR), turn_below)
    # Neighbours of both rows' sites at once: choose the row first, then look aside. A site's
    # neighbours sit at the bits of the other colour.
    a, b = either(upper, above, upper_row), either(upper, under, below)
    vertical_odd, vertical_both = a ^ b, a & b
    own = either(upper, lower_row, upper_row)
    previous_w = w - 1 if w > 0 else words - 1
    previous, following = own, own
    if words > 1:
        column = previous_w * LANES + lane
        previous = either(
            upper,
            load_words(spins, lower_y * row + column, VECTOR),
            load_words(spins, y * row + column, VECTOR),
        )
        column = (w + 1 if w + 1 < words else 0) * LANES + lane
        following = either(
            upper,
            load_words(spins, lower_y * row + column, VECTOR),
            load_words(spins, y * row + column, VECTOR),
        )
    first, last, span = layout.first[w], layout.last[w], layout.span[w]
    a = left_neighbours(own, previous, first, layout.span[previous_w])
    b = right_neighbours(own, following, first, last, span)
    odd, both = a ^ b, a & b
    two = odd ^ vertical_odd
    four = (both & vertical_both) | ~(odd | both | vertical_odd | vertical_both)
    return two, four, both | vertical_both | (odd & vertical_odd)


@vector_function
def either(mask, a, b):  # type: ignore[no-untyped-def]
    """Bits of a where the mask is 1, of b elsewhere; the mask is one word."""
    return (a & mask) | (b & ~mask)
