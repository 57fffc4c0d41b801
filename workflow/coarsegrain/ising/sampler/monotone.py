"""Checkerboard heat bath that keeps the order of states, for many chains with the same randoms.

A spin in the local field h takes the sign of h, unless V < 2T(|h|): then it takes a fair coin.
T(|h|) = 1/(1 + exp(2β|h|)) is the probability of ending against the field (``thresholds``), so
this is the heat bath; with 2T(0) = 1, h = 0 always takes the coin. Since T falls with |h|, a
larger h gives the same spin or up, never down instead of up: if one state has every spin of
another up, and both are updated with the same coins and the same V, that stays so (J. G. Propp &
D. B. Wilson, Random Struct. Algorithms 9, 223 (1996)). The heat bath of ``heat_bath`` has no such
order; it costs a plane less.

The bits of one decision. Sites share words as in ``heat_bath``: one word of 64 decisions per
colour, pair of word rows and word of a row. Its stream is kind 6 (even row + column) or 7 (odd),
its number that of the upper word row. Plane 0 of the stream is the coin (1 = up); planes 1 to 63
are the 63 bits of V, the most significant first; they are compared with the bits of planes 1 to 63
of T, which is ⌊2⁶⁴ T⌋ = ⌊2⁶³ · 2T⌋. A T that has the bit of plane 0 (β = 0) is above every V.
"""

import numpy as np

from coarsegrain.ising.sampler.heat_bath import either, local_fields
from coarsegrain.ising.sampler.layout import LANES, RowLayout, Words
from coarsegrain.ising.sampler.philox import MONOTONE_HEAT_BATH, planes, stream_number
from coarsegrain.ising.sampler.thresholds import PLANES, compare, threshold_plane
from coarsegrain.jit import kernel

_ZERO = np.uint64(0)


@kernel
def monotone_sweep(
    chains: Words,
    against_2: Words,
    against_4: Words,
    sweep: Words,
    lattice: Words,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
) -> None:
    """Update every site of every chain once: even row + column first, then odd.

    Args:
        chains: (chains, word rows, words per row, LANES), changed in place; the chains of one lane
            share their random numbers.
        against_2: (LANES,) threshold T(2).
        against_4: (LANES,) threshold T(4).
        sweep: (LANES,) third counter word.
        lattice: (LANES,) fourth counter word.
        k0: lower half of the key.
        k1: its upper half.
        layout: of the lattice.
    """
    count = chains.shape[0]
    field_2 = np.empty((count, LANES), dtype=np.uint64)
    field_4 = np.empty((count, LANES), dtype=np.uint64)
    sign = np.empty((count, LANES), dtype=np.uint64)
    coin = np.empty(LANES, dtype=np.uint64)
    below_2 = np.empty(LANES, dtype=np.uint64)
    below_4 = np.empty(LANES, dtype=np.uint64)
    undecided_2 = np.empty(LANES, dtype=np.uint64)
    undecided_4 = np.empty(LANES, dtype=np.uint64)
    for colour in range(2):
        kind = MONOTONE_HEAT_BATH + np.uint64(colour)
        upper = layout.even if colour == 0 else ~layout.even
        for y in range(0, layout.word_rows, 2):
            paired = y + 1 < layout.word_rows
            for w in range(layout.words_per_row):
                upper_sites = layout.sites[w] & upper
                lower_sites = layout.sites[w] & ~upper if paired else _ZERO
                for c in range(count):
                    local_fields(chains[c], y, w, upper, field_2[c], field_4[c], sign[c], layout)
                stream = stream_number(kind, y * layout.words_per_row + w)
                sites = upper_sites | lower_sites
                _first_planes(
                    field_2, field_4, sign, coin, below_2, below_4, undecided_2, undecided_4,
                    sites, against_2, against_4, stream, sweep, lattice, k0, k1,
                )  # fmt: skip
                _later_planes(
                    below_2, below_4, undecided_2, undecided_4,
                    against_2, against_4, stream, sweep, lattice, k0, k1,
                )  # fmt: skip
                for c in range(count):
                    two, four, up = field_2[c], field_4[c], sign[c]
                    for lane in range(LANES):
                        takes_coin = ~(two[lane] | four[lane])
                        takes_coin |= (two[lane] & below_2[lane]) | (four[lane] & below_4[lane])
                        up[lane] = either(takes_coin, coin[lane], up[lane])
                    row = chains[c, y, w]
                    for lane in range(LANES):
                        row[lane] = either(upper_sites, up[lane], row[lane])
                    if paired:
                        row = chains[c, y + 1, w]
                        for lane in range(LANES):
                            row[lane] = either(lower_sites, up[lane], row[lane])


@kernel
def _first_planes(
    field_2: Words,
    field_4: Words,
    sign: Words,
    coin: Words,
    below_2: Words,
    below_4: Words,
    undecided_2: Words,
    undecided_4: Words,
    sites: np.uint64,
    against_2: Words,
    against_4: Words,
    stream: np.uint64,
    sweep: Words,
    lattice: Words,
    k0: np.uint64,
    k1: np.uint64,
) -> None:
    """Draw coins and the first bits of V; find the comparisons that matter.

    A comparison matters where the coin differs from the sign of the field, in any chain.

    Args:
        field_2: (chains, LANES) bits with |h| = 2.
        field_4: (chains, LANES) bits with |h| = 4.
        sign: (chains, LANES) signs of the local fields.
        coin: (LANES,) where the coins go.
        below_2: (LANES,) where the bits with V < 2T(2) go, as far as decided.
        below_4: (LANES,) the same for T(4).
        undecided_2: (LANES,) where the comparisons with T(2) go that are still open.
        undecided_4: (LANES,) the same for T(4).
        sites: the bits that are updated.
        against_2: (LANES,) threshold T(2).
        against_4: (LANES,) threshold T(4).
        stream: second counter word.
        sweep: (LANES,) third counter word.
        lattice: (LANES,) fourth counter word.
        k0: lower half of the key.
        k1: its upper half.
    """
    for lane in range(LANES):
        coin[lane], below_2[lane] = planes(_ZERO, stream, sweep[lane], lattice[lane], k0, k1)
        undecided_2[lane] = _ZERO
        undecided_4[lane] = _ZERO
    for c in range(field_2.shape[0]):
        two, four, up = field_2[c], field_4[c], sign[c]
        for lane in range(LANES):
            differ = sites & (up[lane] ^ coin[lane])
            undecided_2[lane] |= two[lane] & differ
            undecided_4[lane] |= four[lane] & differ
    for lane in range(LANES):
        random_bits = below_2[lane]
        always = threshold_plane(against_2[lane], 0)
        below, left = compare(undecided_2[lane], threshold_plane(against_2[lane], 1), random_bits)
        below_2[lane] = below | always
        undecided_2[lane] = left & ~always
        always = threshold_plane(against_4[lane], 0)
        below, left = compare(undecided_4[lane], threshold_plane(against_4[lane], 1), random_bits)
        below_4[lane] = below | always
        undecided_4[lane] = left & ~always


@kernel
def _later_planes(
    below_2: Words,
    below_4: Words,
    undecided_2: Words,
    undecided_4: Words,
    against_2: Words,
    against_4: Words,
    stream: np.uint64,
    sweep: Words,
    lattice: Words,
    k0: np.uint64,
    k1: np.uint64,
) -> None:
    """Decide all comparisons V < 2T that are left; empties ``undecided_2`` and ``undecided_4``.

    Args:
        below_2: (LANES,) bits with V < 2T(2), completed in place.
        below_4: (LANES,) the same for T(4).
        undecided_2: (LANES,) the comparisons with T(2) that are open.
        undecided_4: (LANES,) the same for T(4).
        against_2: (LANES,) threshold T(2).
        against_4: (LANES,) threshold T(4).
        stream: second counter word.
        sweep: (LANES,) third counter word.
        lattice: (LANES,) fourth counter word.
        k0: lower half of the key.
        k1: its upper half.
    """
    for block in range(1, PLANES // 2):
        waiting = _ZERO
        for lane in range(LANES):
            plane_0, plane_1 = planes(np.uint64(block), stream, sweep[lane], lattice[lane], k0, k1)
            bits_0 = threshold_plane(against_2[lane], 2 * block)
            bits_1 = threshold_plane(against_2[lane], 2 * block + 1)
            below_0, left_2 = compare(undecided_2[lane], bits_0, plane_0)
            below_1, left_2 = compare(left_2, bits_1, plane_1)
            below_2[lane] |= below_0 | below_1
            undecided_2[lane] = left_2
            bits_0 = threshold_plane(against_4[lane], 2 * block)
            bits_1 = threshold_plane(against_4[lane], 2 * block + 1)
            below_0, left_4 = compare(undecided_4[lane], bits_0, plane_0)
            below_1, left_4 = compare(left_4, bits_1, plane_1)
            below_4[lane] |= below_0 | below_1
            undecided_4[lane] = left_4
            waiting |= left_2 | left_4
        if waiting == _ZERO:
            break
