"""Products of a matrix of signs with a matrix of numbers: a quarter of the additions.

Four signs have 16 combinations. For every four rows of the matrix of numbers their 16 signed sums
are tabled, once for all rows of signs (the "method of the four Russians": V. Arlazarov, E. Dinic,
M. Kronrod and I. Faradžev, 1970). A row of signs then adds one row of each table. No product is
left, and all sums are in one order, whatever the processor.
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, splat, store

#: Signs of a word; four at a time are looked up.
WORD, GROUP, GROUPS = 32, 4, 8
#: Columns that are worked on at once, and so the length of a table's row.
COLUMNS = 2 * LANES
#: Numbers in the table of four signs, and in all tables of a word: 32 KB.
TABLE = 16 * COLUMNS
TABLES = GROUPS * TABLE
#: Bytes to whose multiples arrays are aligned: else half of all loads fall into two cache lines.
CACHE_LINE = 64


def aligned(*shape: int) -> npt.NDArray[np.float32]:
    """Zeros whose first is at the start of a cache line."""
    size, spare = int(np.prod(shape)), CACHE_LINE // 4
    raw = np.zeros(size + spare, dtype=np.float32)
    first = -raw.ctypes.data % CACHE_LINE // 4
    return raw[first : first + size].reshape(shape)


@kernel
def fill_index(bits, index):  # type: ignore[no-untyped-def]
    """Where in the tables the combinations of four signs stand.

    Args:
        bits: (rows, words) uint32, 1 for +1.
        index: (words, rows, 8) uint16 to be filled.
    """
    for r in range(len(bits)):
        for word in range(bits.shape[1]):
            for group in range(GROUPS):
                signs = (bits[r, word] >> np.uint32(GROUP * group)) & np.uint32(15)
                index[word, r, group] = signs * np.uint32(COLUMNS)


@kernel
def transpose_bits(bits, transposed):  # type: ignore[no-untyped-def]
    """Rows of bits become columns.

    Args:
        bits: (32 a, b) uint32.
        transposed: (32 b, a) uint32 to be filled.
    """
    block = np.empty(WORD, np.uint32)
    for a in range(transposed.shape[1]):
        for b in range(bits.shape[1]):
            for k in range(WORD):
                block[k] = bits[WORD * a + k, b]
            # swap halves of ever smaller squares (H. Warren, Hacker's Delight, section 7-3)
            half, mask = 16, np.uint32(0x0000FFFF)
            while half:
                for k in range(0, WORD, 2 * half):
                    for q in range(k, k + half):
                        shift = np.uint32(half)
                        swapped = ((block[q] >> shift) ^ block[q + half]) & mask
                        block[q + half] ^= swapped
                        block[q] ^= swapped << shift
                half //= 2
                mask = mask ^ np.uint32(mask << np.uint32(half))
            for k in range(WORD):
                transposed[WORD * b + k, a] = block[k]


@kernel
def sign_products(index, m, out, tables):  # type: ignore[no-untyped-def]
    """``out[r] = Σ_i s[r, i] m[i]``: m₀ ± … of four rows first, then sum after sum.

    Args:
        index: (words, rows, 8) uint16, of ``fill_index``.
        m: (32 words, columns) float32, columns a multiple of ``COLUMNS``.
        out: (≥ rows, columns) float32.
        tables: (``TABLES``,) float32, written over.
    """
    zero = splat(m.dtype.type(0))
    for j in range(0, m.shape[1], COLUMNS):
        for word in range(len(index)):
            for group in range(GROUPS):
                i = WORD * word + GROUP * group
                _fill_table(tables, group * TABLE, m, i, j)
                _fill_table(tables, group * TABLE + LANES, m, i, j + LANES)
            for r in range(index.shape[1]):
                row, at = out[r], index[word, r]
                left = zero if word == 0 else load(row, j)
                right = zero if word == 0 else load(row, j + LANES)
                for group in range(GROUPS):
                    entry = group * TABLE + np.uint32(at[group])
                    left = left + load(tables, entry)
                    right = right + load(tables, entry + LANES)
                store(row, j, left)
                store(row, j + LANES, right)


@kernel
def _fill_table(tables, at, m, i, j):  # type: ignore[no-untyped-def]
    """The signed sums of rows i … i + 3 of m, columns from j on: (±m₀ ± m₁) + (±m₂ ± m₃)."""
    m0, m1, m2, m3 = load(m[i], j), load(m[i + 1], j), load(m[i + 2], j), load(m[i + 3], j)
    zero = splat(m.dtype.type(0))
    both, apart = m0 + m1, m0 - m1
    high, other = m2 + m3, m2 - m3
    # signs by bits 3 2 1 0: that of m₀ is bit 0
    _store_with_negative(tables, at, 0b1111, both + high, zero)
    _store_with_negative(tables, at, 0b0111, both + other, zero)
    _store_with_negative(tables, at, 0b1011, both - other, zero)
    _store_with_negative(tables, at, 0b0011, both - high, zero)
    _store_with_negative(tables, at, 0b1101, apart + high, zero)
    _store_with_negative(tables, at, 0b0101, apart + other, zero)
    _store_with_negative(tables, at, 0b1001, apart - other, zero)
    _store_with_negative(tables, at, 0b0001, apart - high, zero)


@kernel
def _store_with_negative(tables, at, signs, value, zero):  # type: ignore[no-untyped-def]
    store(tables, at + signs * COLUMNS, value)
    store(tables, at + (15 - signs) * COLUMNS, zero - value)
