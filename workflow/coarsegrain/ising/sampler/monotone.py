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

from coarsegrain.ising.sampler.heat_bath import local_fields, set_spins, updated_sites
from coarsegrain.ising.sampler.layout import LANES, RowLayout, Words
from coarsegrain.ising.sampler.philox import (
    EARLY_BLOCKS,
    MONOTONE_HEAT_BATH,
    VECTOR,
    early_planes,
    lane_counters,
    stream_number,
    stream_products,
)
from coarsegrain.ising.sampler.thresholds import compare
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
from coarsegrain.jit import kernel, lean_kernel

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
    counters = lane_counters(sweep, lattice, k0, k1)
    planes_2, planes_4 = early_threshold_planes(against_2), early_threshold_planes(against_4)
    coin, below_2, below_4 = (
        np.empty(LISTED_WORDS * LANES, dtype=np.uint64),
        np.empty(LISTED_WORDS * LANES, dtype=np.uint64),
        np.empty(LISTED_WORDS * LANES, dtype=np.uint64),
    )
    fields = np.empty((LISTED_WORDS, 3 * len(chains), LANES), dtype=np.uint64)
    left_2, left_4 = np.empty(LANES, dtype=np.uint64), np.empty(LANES, dtype=np.uint64)
    undecided = no_comparisons()
    rows, words = layout.word_rows, layout.words_per_row
    for colour in range(2):
        upper = layout.even if colour == 0 else ~layout.even
        kind = MONOTONE_HEAT_BATH + np.uint64(colour)
        for begin in range(0, rows * words, LISTED_WORDS):
            end = min(begin + LISTED_WORDS, rows * words)
            count = np.int64(0)
            for word in range(begin, end):
                y, w = divmod(word, words)
                if y % 2 == 0:
                    count = _draw_early(
                        chains, y, w, upper, planes_2, planes_4, counters,
                        stream_number(kind, word), fields, coin, below_2, below_4, word - begin,
                        undecided, count, left_2, left_4, layout,
                    )  # fmt: skip
            decide_listed(
                undecided, count, below_2, below_4, 0, against_2, against_4,
                counters, stream_number(kind, begin), EARLY_BLOCKS,
            )  # fmt: skip
            for word in range(begin, end):
                y, w = divmod(word, words)
                if y % 2 == 0:
                    _toss_coins(
                        chains, y, w, upper, fields, coin, below_2, below_4, word - begin, layout
                    )


@lean_kernel
def _draw_early(  # type: ignore[no-untyped-def]
    chains, y, w, upper, planes_2, planes_4, counters, stream, fields, coin, below_2, below_4,
    slot, undecided, count, left_2, left_4, layout,
):  # fmt: skip
    """Draw coins and the first bits of V; list the comparisons that matter and are still open.

    A comparison matters where the coin differs from the sign of the field, in any chain.

    Args:
        chains: (chains, word rows, words per row, LANES).
        y: the upper word row.
        w: word in the row.
        upper: the bits whose fields are those of word row y; the others are of row y + 1.
        planes_2: (2 EARLY_BLOCKS, LANES) planes of T(2).
        planes_4: the same of T(4).
        counters: of the lanes.
        stream: of the word.
        fields: (LISTED_WORDS, 3 chains, LANES), where bits with |h| = 2, bits with |h| = 4 and
            signs go, chain by chain.
        coin: (LISTED_WORDS · LANES,), where the coins of word ``slot`` go.
        below_2: the same for the bits with V < 2T(2), as far as decided.
        below_4: the same for T(4).
        slot: number of the word on the list.
        undecided: the list.
        count: its length.
        left_2: (LANES,) work space.
        left_4: the same.
        layout: of the lattice.
    Returns:
        The list's new length.
    """
    count_of_chains = len(chains)
    sites = updated_sites(y, w, upper, layout)
    waiting = _ZERO
    for lane in range(0, LANES, VECTOR):
        of_stream = stream_products(counters, stream, lane)
        coins, random_bits = early_planes(counters, of_stream, 0, lane)
        open_2, open_4 = splat_word(_ZERO, VECTOR), splat_word(_ZERO, VECTOR)
        for c in range(count_of_chains):
            two, four, sign = local_fields(chains[c], y, w, lane, upper, layout)
            at = (slot * count_of_chains + c) * 3 * LANES + lane
            store_words(fields, at, two)
            store_words(fields, at + LANES, four)
            store_words(fields, at + 2 * LANES, sign)
            differ = (sign ^ coins) & sites
            open_2 |= two & differ
            open_4 |= four & differ
        always = load_words(planes_2, lane, VECTOR)
        found_2, left = compare(open_2, load_words(planes_2, LANES + lane, VECTOR), random_bits)
        found_2, open_2 = found_2 | always, left & ~always
        always = load_words(planes_4, lane, VECTOR)
        found_4, left = compare(open_4, load_words(planes_4, LANES + lane, VECTOR), random_bits)
        found_4, open_4 = found_4 | always, left & ~always
        for block in range(1, EARLY_BLOCKS):
            plane_0, plane_1 = early_planes(counters, of_stream, block, lane)
            at = 2 * block * LANES + lane
            below, open_2 = compare_blocks(
                open_2, load_words(planes_2, at, VECTOR), load_words(planes_2, at + LANES, VECTOR),
                plane_0, plane_1,
            )  # fmt: skip
            found_2 |= below
            below, open_4 = compare_blocks(
                open_4, load_words(planes_4, at, VECTOR), load_words(planes_4, at + LANES, VECTOR),
                plane_0, plane_1,
            )  # fmt: skip
            found_4 |= below
        at = slot * LANES + lane
        store_words(coin, at, coins)
        store_words(below_2, at, found_2)
        store_words(below_4, at, found_4)
        store_words(left_2, lane, open_2)
        store_words(left_4, lane, open_4)
        waiting |= lanes_with_bits(open_2 | open_4) << np.uint64(lane)
    return list_undecided(undecided, count, slot, waiting, left_2, left_4)


@lean_kernel
def _toss_coins(  # type: ignore[no-untyped-def]
    chains, y, w, upper, fields, coin, below_2, below_4, slot, layout
):
    """Give the sites of a colour in word rows y and y + 1 their new spins, in all chains.

    Arguments as for ``_draw_early``, all comparisons decided.
    """
    count_of_chains = len(chains)
    for lane in range(0, LANES, VECTOR):
        at = slot * LANES + lane
        coins = load_words(coin, at, VECTOR)
        found_2, found_4 = load_words(below_2, at, VECTOR), load_words(below_4, at, VECTOR)
        for c in range(count_of_chains):
            at = (slot * count_of_chains + c) * 3 * LANES + lane
            two, four = load_words(fields, at, VECTOR), load_words(fields, at + LANES, VECTOR)
            sign = load_words(fields, at + 2 * LANES, VECTOR)
            takes_coin = ~(two | four) | (two & found_2) | (four & found_4)
            new = (coins & takes_coin) | (sign & ~takes_coin)
            set_spins(chains[c], new, y, w, lane, upper, layout)
