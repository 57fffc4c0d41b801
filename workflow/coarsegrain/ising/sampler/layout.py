"""Rows of spins as bits of 64-bit words, and many lattices side by side.

A spin is one bit, up = 1. Three cases, one description:

* L ≤ 32: a word holds *two* rows, ``row`` in its lower and ``row + L/2`` in its upper half;
* 34 ≤ L ≤ 64: a word holds one row;
* L > 64: a row takes ⌈L/64⌉ words, 64 columns each, the rest in the last one.

So a lattice is ``word_rows`` × ``words_per_row`` words. Below word row ``word_rows − 1`` comes
word row 0 again: with its halves exchanged where a word holds two rows (``exchange_halves``).

The last axis of every array of words is the *lane*: LANES lattices are updated in step, which
makes each operation on words a few vector instructions.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.sides import check_side
from coarsegrain.jit import kernel, word_function

#: Lattices updated side by side: a power of two from 8 to 64. Results do not depend on it.
LANES = 64
WORD_BITS = 64
_HALF_WORD = 32

ONE = np.uint64(1)
_EVEN_BITS = np.uint64(0x5555555555555555)
_UPPER_HALF = np.uint64(0xFFFFFFFF00000000)
Words = npt.NDArray[np.uint64]


class RowLayout(NamedTuple):
    """Where the sites of an L × L lattice lie. Arrays are per word of a row."""

    side: int
    rows_per_word: int
    words_per_row: int
    word_rows: int
    #: Shift that exchanges the halves of a word of two rows; 0 for words of one row.
    exchange: np.uint64
    #: Bits of even row + column in any word of word row 0, also where they are no sites. In odd
    #: word rows it is the other bits.
    even: np.uint64
    #: Bits that are sites.
    sites: Words
    #: Sites of the first and the last column that the word holds.
    first: Words
    last: Words
    #: Distance between the two, in bits.
    span: Words


def row_layout(L: int) -> RowLayout:
    """Layout of an L × L lattice."""
    check_side(L)
    rows_per_word = 2 if L <= _HALF_WORD else 1
    words_per_row = -(-L // WORD_BITS)
    word_rows = L // rows_per_word
    sites, first, last, span = np.zeros((4, words_per_row), dtype=np.uint64)
    for word in range(words_per_row):
        columns = min(L - word * WORD_BITS, WORD_BITS)
        span[word] = columns - 1
        for part in range(rows_per_word):
            start = part * _HALF_WORD
            first[word] |= ONE << np.uint64(start)
            last[word] |= ONE << np.uint64(start + columns - 1)
            for column in range(columns):
                sites[word] |= ONE << np.uint64(start + column)
    exchange = np.uint64(_HALF_WORD if rows_per_word == 2 else 0)
    even = _EVEN_BITS
    if rows_per_word == 2 and word_rows % 2:  # the upper half's first row is an odd one
        even ^= _UPPER_HALF
    return RowLayout(
        L, rows_per_word, words_per_row, word_rows, exchange, even, sites, first, last, span
    )


@word_function
def exchange_halves(word: np.uint64, shift: np.uint64) -> np.uint64:
    """The word with its halves exchanged (shift 32) or as it is (shift 0)."""
    return (word << shift) | (word >> shift)


@word_function
def right_neighbours(
    word: np.uint64, next_word: np.uint64, first: np.uint64, last: np.uint64, span: np.uint64
) -> np.uint64:
    """At each site's bit, the spin at its right; ``next_word`` is the word to the right.

    ``first``, ``last`` and ``span`` are those of ``word``. Bits that are no sites are undefined.
    """
    return ((word >> ONE) & ~last) | ((next_word & first) << span)


@word_function
def left_neighbours(
    word: np.uint64, previous_word: np.uint64, first: np.uint64, previous_span: np.uint64
) -> np.uint64:
    """At each site's bit, the spin at its left; ``previous_word`` is the word to the left.

    ``previous_span`` is that of ``previous_word``. Bits that are no sites are undefined.
    """
    return ((word << ONE) & ~first) | ((previous_word >> previous_span) & first)


@kernel
def pack_spins(spins: npt.NDArray[np.int8], words: Words, layout: RowLayout) -> None:
    """Write lattices (n, L, L) int8 ±1 into the lanes of words (groups, word rows, words, LANES).

    n is at most groups × LANES; lanes beyond n are left as they are.
    """
    for i in range(spins.shape[0]):
        group, lane = divmod(i, LANES)
        words[group, :, :, lane] = np.uint64(0)
        for row in range(layout.side):
            half, word_row = divmod(row, layout.word_rows)
            for column in range(layout.side):
                word, bit = divmod(column, WORD_BITS)
                if spins[i, row, column] > 0:
                    words[group, word_row, word, lane] |= ONE << np.uint64(bit + half * _HALF_WORD)


@kernel
def unpack_spins(words: Words, spins: npt.NDArray[np.int8], layout: RowLayout) -> None:
    """The inverse of ``pack_spins``."""
    for i in range(spins.shape[0]):
        group, lane = divmod(i, LANES)
        for row in range(layout.side):
            half, word_row = divmod(row, layout.word_rows)
            for column in range(layout.side):
                word, bit = divmod(column, WORD_BITS)
                up = (
                    words[group, word_row, word, lane] >> np.uint64(bit + half * _HALF_WORD)
                ) & ONE
                spins[i, row, column] = 2 * np.int8(up) - 1
