"""Random bonds between equal neighbours (Fortuin & Kasteleyn 1972), on bit rows.

Arrays of words have shape (word rows, words per row, LANES). ``right[y, w]`` has a bit for each
bond of a site of that word with its right neighbour. ``vertical`` has one word row more:
``vertical[y]`` is the bonds between word rows y − 1 and y, at the bits of y, so that
``vertical[y + 1]`` is the bonds below y. Its first word row is its last one, halves exchanged.
"""

import numpy as np

from coarsegrain.ising.sampler.layout import (
    LANES,
    RowLayout,
    Words,
    exchange_halves,
    right_neighbours,
)
from coarsegrain.ising.sampler.philox import DOWN_BONDS, RIGHT_BONDS, planes, stream_number
from coarsegrain.ising.sampler.thresholds import PLANES, compare, threshold_plane
from coarsegrain.jit import kernel

_ZERO = np.uint64(0)


@kernel
def draw_bonds(
    spins: Words,
    right: Words,
    vertical: Words,
    bond_threshold: Words,
    step: np.uint64,
    first_lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
) -> None:
    """Join equal neighbours with the probability of each lane's threshold.

    Args:
        spins: (word rows, words per row, LANES).
        right: (word rows, words per row, LANES), where the bonds to the right go.
        vertical: (word rows + 1, words per row, LANES), where those downward go.
        bond_threshold: (LANES,) of a bond between equal spins.
        step: third counter word (``philox``).
        first_lattice: number of lane 0's lattice; the other lanes' follow.
        k0: lower half of the key.
        k1: its upper half.
        layout: of the lattice.
    """
    equal = np.empty(LANES, dtype=np.uint64)
    bottom = layout.word_rows - 1
    for y in range(layout.word_rows):
        below = 0 if y == bottom else y + 1
        exchange = layout.exchange if y == bottom else _ZERO
        for w in range(layout.words_per_row):
            next_w = 0 if w + 1 == layout.words_per_row else w + 1
            word = y * layout.words_per_row + w
            sites, first, last = layout.sites[w], layout.first[w], layout.last[w]
            span = layout.span[w]
            here, at_right, under = spins[y, w], spins[y, next_w], spins[below, w]
            for lane in range(LANES):
                neighbour = right_neighbours(here[lane], at_right[lane], first, last, span)
                equal[lane] = sites & ~(here[lane] ^ neighbour)
            stream = stream_number(RIGHT_BONDS, word)
            _accept(equal, bond_threshold, right[y, w], stream, step, first_lattice, k0, k1)
            for lane in range(LANES):
                equal[lane] = sites & ~(here[lane] ^ exchange_halves(under[lane], exchange))
            stream = stream_number(DOWN_BONDS, word)
            _accept(equal, bond_threshold, vertical[y + 1, w], stream, step, first_lattice, k0, k1)
    for w in range(layout.words_per_row):
        for lane in range(LANES):
            vertical[0, w, lane] = exchange_halves(vertical[bottom + 1, w, lane], layout.exchange)


@kernel
def _accept(
    undecided: Words,
    threshold: Words,
    accepted: Words,
    stream: np.uint64,
    step: np.uint64,
    first_lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
) -> None:
    """Accept each undecided bit with its lane's probability; empties ``undecided``.

    Planes are drawn until no lane waits for one. What a decided bit would see in later planes
    does not matter, so neither does the company of other lanes.

    Args:
        undecided: (LANES,) the bits in question.
        threshold: (LANES,) of acceptance.
        accepted: (LANES,) where the accepted bits go.
        stream: second counter word.
        step: third counter word.
        first_lattice: number of lane 0's lattice; the other lanes' follow.
        k0: lower half of the key.
        k1: its upper half.
    """
    for lane in range(LANES):
        accepted[lane] = _ZERO
    for block in range(PLANES // 2):
        waiting = _ZERO
        for lane in range(LANES):
            lattice = first_lattice + np.uint64(lane)
            plane_0, plane_1 = planes(np.uint64(block), stream, step, lattice, k0, k1)
            bits_0 = threshold_plane(threshold[lane], 2 * block)
            bits_1 = threshold_plane(threshold[lane], 2 * block + 1)
            below_0, left = compare(undecided[lane], bits_0, plane_0)
            below_1, left = compare(left, bits_1, plane_1)
            accepted[lane] |= below_0 | below_1
            undecided[lane] = left
            waiting |= left
        if waiting == _ZERO:
            break
