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
from coarsegrain.ising.sampler.philox import HEAT_BATH, planes, stream_number
from coarsegrain.ising.sampler.thresholds import HALF, PLANES, compare, threshold_plane
from coarsegrain.jit import kernel, word_function

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
    new = np.empty(LANES, dtype=np.uint64)
    undecided = np.empty(LANES, dtype=np.uint64)
    field_2 = np.empty(LANES, dtype=np.uint64)
    field_4 = np.empty(LANES, dtype=np.uint64)
    for colour in range(2):
        kind = HEAT_BATH + np.uint64(colour)
        upper = layout.even if colour == 0 else ~layout.even
        for y in range(0, layout.word_rows, 2):
            paired = y + 1 < layout.word_rows  # an odd number of word rows leaves one alone
            for w in range(layout.words_per_row):
                upper_sites = layout.sites[w] & upper
                lower_sites = layout.sites[w] & ~upper if paired else _ZERO
                local_fields(spins, y, w, upper, field_2, field_4, new, layout)
                for lane in range(LANES):
                    undecided[lane] = upper_sites | lower_sites
                stream = stream_number(kind, y * layout.words_per_row + w)
                _turn_against_field(
                    new, undecided, field_2, field_4, against_2, against_4,
                    stream, step, first_lattice, k0, k1,
                )  # fmt: skip
                row = spins[y, w]
                for lane in range(LANES):
                    row[lane] = either(upper_sites, new[lane], row[lane])
                if paired:
                    row = spins[y + 1, w]
                    for lane in range(LANES):
                        row[lane] = either(lower_sites, new[lane], row[lane])


@kernel
def local_fields(
    spins: Words,
    y: int,
    w: int,
    upper_bits: np.uint64,
    field_2: Words,
    field_4: Words,
    sign: Words,
    layout: RowLayout,
) -> None:
    """Local fields in word row y (at ``upper_bits``) and in word row y + 1 (at the others).

    Args:
        spins: (word rows, words per row, LANES).
        y: the upper word row.
        w: word in the row.
        upper_bits: the bits whose fields are those of word row y; the others are of row y + 1.
        field_2: (LANES,) where the bits with |h| = 2 go.
        field_4: (LANES,) where those with |h| = 4 go.
        sign: (LANES,) where the sign of h goes, 1 for h ≥ 0.
        layout: of the lattice.
    """
    rows, words = layout.word_rows, layout.words_per_row
    lower_y = y + 1 if y + 1 < rows else y
    above_y = y - 1 if y > 0 else rows - 1
    under_y = 0 if y + 1 == rows else y + 1
    below_y = 0 if lower_y + 1 == rows else lower_y + 1
    previous_w = w - 1 if w > 0 else words - 1
    next_w = w + 1 if w + 1 < words else 0
    turn_above = layout.exchange if y == 0 else _ZERO
    turn_under = layout.exchange if under_y == 0 else _ZERO
    turn_below = layout.exchange if below_y == 0 else _ZERO
    above, upper, under = spins[above_y, w], spins[y, w], spins[under_y, w]
    below = spins[below_y, w]
    for lane in range(LANES):
        a = either(upper_bits, exchange_halves(above[lane], turn_above), upper[lane])
        b = either(
            upper_bits,
            exchange_halves(under[lane], turn_under),
            exchange_halves(below[lane], turn_below),
        )
        field_2[lane] = a ^ b
        field_4[lane] = a & b

    first, last, span = layout.first[w], layout.last[w], layout.span[w]
    previous_span = layout.span[previous_w]
    lower = spins[lower_y, w]
    upper_previous, upper_next = spins[y, previous_w], spins[y, next_w]
    lower_previous, lower_next = spins[lower_y, previous_w], spins[lower_y, next_w]
    for lane in range(LANES):
        # Neighbours of both rows' sites at once: choose the row first, then look aside. A site's
        # neighbours sit at the bits of the other colour.
        own = either(upper_bits, lower[lane], upper[lane])
        previous = either(upper_bits, lower_previous[lane], upper_previous[lane])
        following = either(upper_bits, lower_next[lane], upper_next[lane])
        a = left_neighbours(own, previous, first, previous_span)
        b = right_neighbours(own, following, first, last, span)
        odd, both = a ^ b, a & b
        vertical_odd, vertical_both = field_2[lane], field_4[lane]
        field_2[lane] = odd ^ vertical_odd
        field_4[lane] = (both & vertical_both) | ~(odd | both | vertical_odd | vertical_both)
        sign[lane] = both | vertical_both | (odd & vertical_odd)


@word_function
def either(mask: np.uint64, a: np.uint64, b: np.uint64) -> np.uint64:
    """Bits of a where the mask is 1, of b elsewhere."""
    return (a & mask) | (b & ~mask)


@kernel
def _turn_against_field(
    new: Words,
    undecided: Words,
    field_2: Words,
    field_4: Words,
    against_2: Words,
    against_4: Words,
    stream: np.uint64,
    step: np.uint64,
    first_lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
) -> None:
    """Flip the bits of ``new`` where U < T(|h|); empties ``undecided``.

    The comparison is the one that decides bonds, with a threshold that depends on the site.

    Args:
        new: (LANES,) signs of the local fields, which become the new spins.
        undecided: (LANES,) the bits in question.
        field_2: (LANES,) bits with |h| = 2.
        field_4: (LANES,) bits with |h| = 4.
        against_2: (LANES,) threshold T(2).
        against_4: (LANES,) threshold T(4).
        stream: second counter word.
        step: third counter word.
        first_lattice: number of lane 0's lattice; the other lanes' follow.
        k0: lower half of the key.
        k1: its upper half.
    """
    for block in range(PLANES // 2):
        half_0 = threshold_plane(HALF, 2 * block)
        half_1 = threshold_plane(HALF, 2 * block + 1)
        waiting = _ZERO
        for lane in range(LANES):
            lattice = first_lattice + np.uint64(lane)
            plane_0, plane_1 = planes(np.uint64(block), stream, step, lattice, k0, k1)
            two, four = field_2[lane], field_4[lane]
            bits_0 = (
                (two & threshold_plane(against_2[lane], 2 * block))
                | (four & threshold_plane(against_4[lane], 2 * block))
                | (~(two | four) & half_0)
            )
            bits_1 = (
                (two & threshold_plane(against_2[lane], 2 * block + 1))
                | (four & threshold_plane(against_4[lane], 2 * block + 1))
                | (~(two | four) & half_1)
            )
            below_0, left = compare(undecided[lane], bits_0, plane_0)
            below_1, left = compare(left, bits_1, plane_1)
            new[lane] ^= below_0 | below_1
            undecided[lane] = left
            waiting |= left
        if waiting == _ZERO:
            break
