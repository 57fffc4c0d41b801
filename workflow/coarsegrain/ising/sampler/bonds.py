"""Random bonds of the Wolff cluster (Fortuin & Kasteleyn 1972), on bit rows.

Arrays of words have shape (word rows, words per row, LANES). ``right[y, w]`` has a bit for each
bond of a site of that word with its right neighbour. ``vertical`` has one word row more:
``vertical[y]`` is the bonds between word rows y − 1 and y, at the bits of y, so that
``vertical[y + 1]`` is the bonds below y. Its first word row is its last one, halves exchanged.

The cluster of a seed holds spins like the seed's only, so no other bond is drawn.
"""

import numpy as np

from coarsegrain.ising.sampler.layout import (
    LANES,
    RowLayout,
    Words,
    exchange_halves,
    right_neighbours,
)
from coarsegrain.ising.sampler.philox import (
    DOWN_BONDS,
    RIGHT_BONDS,
    VECTOR,
    Counters,
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
    splat_word,
    store_words,
)
from coarsegrain.jit import kernel, lean_kernel, vector_function

#: Blocks drawn for all lanes: fewer than in a heat bath, for fewer bits are in question.
_EARLY_BLOCKS = 3
_ZERO = np.uint64(0)


@kernel
def draw_bonds(
    spins: Words,
    unlike: Words,
    right: Words,
    vertical: Words,
    bond_threshold: Words,
    counters: Counters,
    layout: RowLayout,
) -> None:
    """Join neighbours like the seed with the probability of each lane's threshold.

    Args:
        spins: (word rows, words per row, LANES).
        unlike: (LANES,) spins that differ from it are like the seed's: 0 or all ones.
        right: (word rows, words per row, LANES), where the bonds to the right go.
        vertical: (word rows + 1, words per row, LANES), where those downward go.
        bond_threshold: (LANES,) of a bond between equal spins.
        counters: of the lanes.
        layout: of the lattice.
    """
    planes = early_threshold_planes(bond_threshold)
    undecided = no_comparisons()
    left = np.empty(LANES, dtype=np.uint64)
    flat_right, flat_vertical = right.reshape(right.size), vertical.reshape(vertical.size)
    for down in range(2):
        _draw(
            down, spins, unlike, flat_vertical if down else flat_right, bond_threshold, planes,
            counters, undecided, left, layout,
        )  # fmt: skip
    rows, words = layout.word_rows, layout.words_per_row
    bottom = rows * words * LANES
    for at in range(0, words * LANES, VECTOR):
        lowest = load_words(vertical, bottom + at, VECTOR)
        store_words(vertical, at, exchange_halves(lowest, layout.exchange))


@lean_kernel
def _draw(  # type: ignore[no-untyped-def]
    down, spins, unlike, bonds, bond_threshold, planes, counters, undecided, left, layout
):
    """Draw the bonds to the right (``down`` = 0) or downward (1); ``bonds`` is a flat array."""
    rows, words = layout.word_rows, layout.words_per_row
    kind = DOWN_BONDS if down else RIGHT_BONDS
    shift = words * LANES if down else 0
    for begin in range(0, rows * words, LISTED_WORDS):
        count = 0
        for word in range(begin, min(begin + LISTED_WORDS, rows * words)):
            y, w = divmod(word, words)
            sites, first, last = layout.sites[w], layout.first[w], layout.last[w]
            span = layout.span[w]
            other = word + 1 if w + 1 < words else word + 1 - words
            exchange = _ZERO
            if down:
                other = word + words
                if y + 1 == rows:
                    other, exchange = w, layout.exchange
            stream = stream_number(kind, word)
            waiting = _ZERO
            for lane in range(0, LANES, VECTOR):
                flip = load_words(unlike, lane, VECTOR)
                here = load_words(spins, word * LANES + lane, VECTOR) ^ flip
                there = load_words(spins, other * LANES + lane, VECTOR) ^ flip
                if down:
                    there = exchange_halves(there, exchange)
                else:
                    there = right_neighbours(here, there, first, last, span)
                accepted, open_bits = _accept_early(
                    here & there & sites, planes, counters, stream, lane
                )
                store_words(bonds, shift + word * LANES + lane, accepted)
                store_words(left, lane, open_bits)
                waiting |= lanes_with_bits(open_bits) << np.uint64(lane)
            count = list_undecided(undecided, count, word - begin, waiting, left, None)
        decide_listed(
            undecided, count, bonds, None, shift + begin * LANES, bond_threshold, None,
            counters, stream_number(kind, begin), _EARLY_BLOCKS,
        )  # fmt: skip


@vector_function
def _accept_early(undecided, planes, counters, stream, lane):  # type: ignore[no-untyped-def]
    """Accept bits by the first blocks; returns those accepted and those still open."""
    accepted = splat_word(_ZERO, VECTOR)
    of_stream = stream_products(counters, stream, lane)
    for block in range(_EARLY_BLOCKS):
        plane_0, plane_1 = early_planes(counters, of_stream, block, lane)
        bits_0 = load_words(planes, 2 * block * LANES + lane, VECTOR)
        bits_1 = load_words(planes, (2 * block + 1) * LANES + lane, VECTOR)
        below, undecided = compare_blocks(undecided, bits_0, bits_1, plane_0, plane_1)
        accepted |= below
    return accepted, undecided
