"""Growing clusters through bonds, on bit rows: all sites that bonds connect to those of a start.

Arrays of words and bonds are those of ``bonds``.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.sampler.layout import LANES, ONE, RowLayout, Words, exchange_halves
from coarsegrain.ising.sampler.philox import VECTOR
from coarsegrain.ising.sampler.word_vectors import (
    any_bit,
    highest_bit,
    load_words,
    lowest_bit,
    store_words,
)
from coarsegrain.jit import kernel, lean_kernel, vector_function

_ZERO = np.uint64(0)
_TOP = np.uint64(1 << 63)
#: Masks of a word for ``_fill_runs``.
_MASKS = 8


class Edges(NamedTuple):
    """What lies around each word row, (word rows,) each."""

    #: Word rows above and below.
    above: npt.NDArray[np.int64]
    below: npt.NDArray[np.int64]
    #: Where the row is copied to in ``grown``, beyond the other edge; else its own place.
    copy: npt.NDArray[np.int64]
    #: Shift that exchanges the halves of such a copy.
    exchange: Words


@kernel
def _edges(layout: RowLayout) -> Edges:
    rows = layout.word_rows
    above = np.arange(-1, rows - 1)
    below = np.arange(1, rows + 1)
    copy = np.arange(1, rows + 1)
    exchange = np.zeros(rows, dtype=np.uint64)
    above[0], below[rows - 1] = rows - 1, 0
    copy[0], copy[rows - 1] = rows + 1, 0
    exchange[0] = exchange[rows - 1] = layout.exchange
    return Edges(above, below, copy, exchange)


@kernel
def grow_clusters(cluster: Words, right: Words, vertical: Words, layout: RowLayout) -> int:
    """Add to each lane's cluster all sites that bonds connect to it; returns the visits.

    A visit completes one word of a vector of lanes from the words around it. Words that bonds lead
    on to from there, in any of the lanes, are visited later, in sweeps down and up the rows; with
    no such word left, the vector's clusters are complete.

    Args:
        cluster: (word rows, words per row, LANES) the sites so far, changed in place.
        right: (word rows, words per row, LANES) bonds to the right.
        vertical: (word rows + 1, words per row, LANES) bonds downward.
        layout: of the lattice.
    """
    rows, words = layout.word_rows, layout.words_per_row
    # Per vector of lanes. With the last row above the first one and the first one below the last.
    grown = np.empty((LANES // VECTOR, rows + 2, words, VECTOR), dtype=np.uint64)
    masks = np.empty((LANES // VECTOR, rows, words, _MASKS, VECTOR), dtype=np.uint64)
    waiting = np.empty((LANES // VECTOR, rows, words), dtype=np.bool_)
    edges = _edges(layout)
    rows_waiting = np.zeros(LANES // VECTOR, dtype=np.uint64)
    _lay_out(cluster, right, grown, masks, waiting, rows_waiting, edges, layout)
    if words == 1:
        sweep = np.empty((2, LANES // VECTOR), dtype=np.uint64)
        visits = _grow_side_by_side(grown, vertical, masks, rows_waiting, sweep, edges, layout)
    else:
        visits = _grow(grown, right, vertical, masks, waiting, edges, layout)
    for vector in range(LANES // VECTOR):
        for word in range(rows * words):
            g = load_words(grown, (vector * (rows + 2) * words + words + word) * VECTOR, VECTOR)
            store_words(cluster, word * LANES + vector * VECTOR, g)
    return int(visits)


@lean_kernel
def _lay_out(  # type: ignore[no-untyped-def]
    cluster, right, grown, masks, waiting, rows_waiting, edges, layout
):
    """Prepare the work space of ``grow_clusters``."""
    rows, words = layout.word_rows, layout.words_per_row
    for vector in range(LANES // VECTOR):
        for y in range(rows):
            for w in range(words):
                at = (y * words + w) * LANES + vector * VECTOR
                g = load_words(cluster, at, VECTOR)
                _keep(grown, g, vector, y, w, edges, layout)
                waiting[vector, y, w] = any_bit(g)
                rows_waiting[vector] |= np.uint64(waiting[vector, y, w]) << np.uint64(y)
                bonds = load_words(right, at, VECTOR)
                last = layout.last[w]
                # Where a row is one word, the last column's bond leads back to the first column.
                seam = last if words == 1 else _ZERO
                at = ((vector * rows + y) * words + w) * _MASKS * VECTOR
                store_words(masks, at, bonds & seam)
                bonds &= ~last
                end_of_first_run = ((bonds + layout.first[w]) ^ bonds) & ~bonds
                store_words(masks, at + VECTOR, end_of_first_run)
                for k in range(6):
                    store_words(masks, at + (2 + k) * VECTOR, bonds)
                    bonds &= bonds >> (ONE << np.uint64(k))


@vector_function
def _keep(grown, g, vector, y, w, edges, layout):  # type: ignore[no-untyped-def]
    """Write a word of the cluster, and its copy beyond the other edge if it lies at one."""
    rows, words = layout.word_rows, layout.words_per_row
    start = vector * (rows + 2) * words + w
    store_words(grown, (start + (y + 1) * words) * VECTOR, g)
    copy = exchange_halves(g, edges.exchange[y])
    store_words(grown, (start + edges.copy[y] * words) * VECTOR, copy)


@lean_kernel
def _grow_side_by_side(grown, vertical, masks, rows_waiting, sweep, edges, layout):  # type: ignore[no-untyped-def]
    """Grow all clusters of lattices with one word per row, 64 at most; returns the visits.

    A visit needs the result of the one before. So that a processor need not wait, all vectors take
    turns, each with a sweep of its own through its lattices. rows_waiting: (vectors,), with a bit
    for each row to be visited; sweep: (2, vectors) work space.
    """
    row, upward = sweep[0], sweep[1]
    sweep[:] = _ZERO
    visits = 0
    busy = True
    while busy:
        busy = False
        for vector in range(LANES // VECTOR):
            waiting = rows_waiting[vector]
            if waiting == _ZERO:
                continue
            busy = True
            visits += 1
            # Without branches: nobody could predict them, and each wrong guess ends the overlap.
            below = (waiting >> row[vector]) << row[vector]
            above = waiting ^ below
            up = np.uint64(above != _ZERO) & (upward[vector] | np.uint64(below == _ZERO))
            highest, lowest = (
                np.uint64(highest_bit(above | ONE)),
                np.uint64(lowest_bit(below | _TOP)),
            )
            y = np.int64(lowest ^ ((lowest ^ highest) & (_ZERO - up)))
            row[vector], upward[vector] = np.uint64(y), up
            above_y, below_y = edges.above[y], edges.below[y]
            _, to_above, to_below = _visit(
                grown, None, vertical, masks, vector, y, 0, edges, layout
            )
            waiting ^= ONE << np.uint64(y)
            waiting |= np.uint64(to_above) << np.uint64(above_y)
            waiting |= np.uint64(to_below) << np.uint64(below_y)
            rows_waiting[vector] = waiting
    return visits


@lean_kernel
def _grow(grown, right, vertical, masks, waiting, edges, layout):  # type: ignore[no-untyped-def]
    """Grow all clusters, of lattices of any size; returns the visits.

    waiting: (vectors, word rows, words per row) bool, the words to be visited.
    """
    rows, words = layout.word_rows, layout.words_per_row
    visits = 0
    for vector in range(LANES // VECTOR):
        visited = True
        while visited:
            visited = False
            for k in range(2 * rows):
                y = k if k < rows else 2 * rows - 1 - k
                for w in range(words):
                    if not waiting[vector, y, w]:
                        continue
                    waiting[vector, y, w] = False
                    visited = True
                    visits += 1
                    changed, to_above, to_below = _visit(
                        grown, right, vertical, masks, vector, y, w, edges, layout
                    )
                    waiting[vector, edges.above[y], w] |= to_above
                    waiting[vector, edges.below[y], w] |= to_below
                    waiting[vector, y, w - 1 if w > 0 else words - 1] |= changed
                    waiting[vector, y, w + 1 if w + 1 < words else 0] |= changed
    return visits


@vector_function
def _visit(grown, right, vertical, masks, vector, y, w, edges, layout):  # type: ignore[no-untyped-def]
    """Complete the clusters of a vector in one word.

    ``right`` is needed where a row has several words, else None. Returns whether there are new
    sites, and whether bonds lead from here to new sites above and below, in any of the lanes.
    """
    rows, words = layout.word_rows, layout.words_per_row
    at = ((vector * (rows + 2) + y + 1) * words + w) * VECTOR
    own = load_words(grown, at, VECTOR)
    above = load_words(grown, at - words * VECTOR, VECTOR)
    below = load_words(grown, at + words * VECTOR, VECTOR)
    at = (y * words + w) * LANES + vector * VECTOR
    bonds_above = load_words(vertical, at, VECTOR)
    bonds_below = load_words(vertical, at + words * LANES, VECTOR)
    g = own | (above & bonds_above) | (below & bonds_below)
    if right is not None:
        g |= _from_aside(grown, right, vector, y, w, layout)
    first, last, span = layout.first[w], layout.last[w], layout.span[w]
    g = _fill_runs(g, masks, (vector * rows + y) * words + w, first, last, span)
    _keep(grown, g, vector, y, w, edges, layout)
    return any_bit(g ^ own), any_bit(g & bonds_above & ~above), any_bit(g & bonds_below & ~below)


@vector_function
def _from_aside(grown, right, vector, y, w, layout):  # type: ignore[no-untyped-def]
    """Sites of word (y, w) that bonds connect to the cluster in the words at its sides."""
    rows, words = layout.word_rows, layout.words_per_row
    previous_w = w - 1 if w > 0 else words - 1
    next_w = w + 1 if w + 1 < words else 0
    row = (vector * (rows + 2) + y + 1) * words
    previous = load_words(grown, (row + previous_w) * VECTOR, VECTOR)
    following = load_words(grown, (row + next_w) * VECTOR, VECTOR)
    bonds = load_words(right, (y * words + w) * LANES + vector * VECTOR, VECTOR)
    previous_bonds = load_words(right, (y * words + previous_w) * LANES + vector * VECTOR, VECTOR)
    first, last = layout.first[w], layout.last[w]
    from_left = ((previous & previous_bonds) >> layout.span[previous_w]) & first
    return from_left | (((following & first) << layout.span[w]) & bonds & last)


@vector_function
def _fill_runs(g, masks, word, first, last, span):  # type: ignore[no-untyped-def]
    """Fill every run of bonded bits that contains a set bit.

    Bond i joins bits i and i + 1; ``seam`` has the last column's bit if a bond joins it to the
    first column. Toward higher bits a run is filled by the carries of one addition, which end
    where the run of bonds ends; then across the seam, and on; toward lower bits by doubling.

    Args:
        g: the set bits.
        masks: of all words, by ``_lay_out``: the seam, the end of the first column's run, and the
            bits from which 1, 2, 4, … bonds in a row lead to higher bits.
        word: whose masks.
        first: sites of the first column.
        last: sites of the last column.
        span: distance between the two, in bits.
    Returns:
        The bits set and those reached.
    """
    at = word * _MASKS * VECTOR
    seam = load_words(masks, at, VECTOR)
    end_of_first_run = load_words(masks, at + VECTOR, VECTOR)
    bonds = load_words(masks, at + 2 * VECTOR, VECTOR)
    g |= (bonds + (g & bonds)) ^ bonds
    g |= (g & seam) >> span
    g |= (bonds + (g & bonds)) ^ bonds
    # By now the end of the first column's run is set if any of its bits is. If so, it reaches the
    # last column across the seam: adding last − first carries any such bit to that column.
    g |= ((g & end_of_first_run) + (last - first)) & seam
    g |= (g >> np.uint64(1)) & bonds
    g |= (g >> np.uint64(2)) & load_words(masks, at + 3 * VECTOR, VECTOR)
    g |= (g >> np.uint64(4)) & load_words(masks, at + 4 * VECTOR, VECTOR)
    g |= (g >> np.uint64(8)) & load_words(masks, at + 5 * VECTOR, VECTOR)
    g |= (g >> np.uint64(16)) & load_words(masks, at + 6 * VECTOR, VECTOR)
    return g | ((g >> np.uint64(32)) & load_words(masks, at + 7 * VECTOR, VECTOR))
