"""Wolff's cluster step on bit rows.

U. Wolff, "Collective Monte Carlo updating for spin systems", Phys. Rev. Lett. 62, 361 (1989).
Here all bonds of the lattice are drawn first, then the cluster of a random site is grown through
them and flipped: the same law as growing it bond by bond. The site's own distribution is of no
consequence for the stationary state, as long as it does not look at the spins.

Arrays of words and bonds are those of ``bonds``.
"""

import numpy as np

from coarsegrain.ising.sampler.bonds import draw_bonds
from coarsegrain.ising.sampler.layout import (
    LANES,
    ONE,
    WORD_BITS,
    RowLayout,
    Words,
    exchange_halves,
)
from coarsegrain.ising.sampler.philox import SEED_SITE, stream_number
from coarsegrain.jit import kernel, word_function
from coarsegrain.philox import philox4x32

_ZERO = np.uint64(0)
_32 = np.uint64(32)


@kernel
def wolff_step(
    spins: Words,
    right: Words,
    vertical: Words,
    cluster: Words,
    bond_threshold: Words,
    step: np.uint64,
    first_lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
) -> None:
    """Flip one cluster of each lattice.

    Args:
        spins: (word rows, words per row, LANES), changed in place.
        right: work space of the shape of ``spins``, for bonds.
        vertical: work space with one word row more, for bonds.
        cluster: work space of the shape of ``spins``.
        bond_threshold: (LANES,) of a bond between equal spins.
        step: third counter word (``philox``).
        first_lattice: number of lane 0's lattice; the other lanes' follow.
        k0: lower half of the key.
        k1: its upper half.
        layout: of the lattice.
    """
    draw_bonds(spins, right, vertical, bond_threshold, step, first_lattice, k0, k1, layout)
    place_seeds(cluster, step, first_lattice, k0, k1, layout)
    grow_clusters(cluster, right, vertical, layout)
    for y in range(layout.word_rows):
        for w in range(layout.words_per_row):
            spin, flip = spins[y, w], cluster[y, w]
            for lane in range(LANES):
                spin[lane] ^= flip[lane]


@kernel
def place_seeds(
    cluster: Words,
    step: np.uint64,
    first_lattice: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
) -> None:
    """Make each lane's cluster one random site.

    Args:
        cluster: (word rows, words per row, LANES), where the sites go.
        step: third counter word (``philox``).
        first_lattice: number of lane 0's lattice; the other lanes' follow.
        k0: lower half of the key.
        k1: its upper half.
        layout: of the lattice.
    """
    cluster[:] = _ZERO
    side = np.uint64(layout.side)
    stream = stream_number(SEED_SITE, 0)
    for lane in range(LANES):
        lattice = first_lattice + np.uint64(lane)
        x0, x1, _, _ = philox4x32(_ZERO, stream, step, lattice, k0, k1)
        half, y = divmod(np.int64((x0 * side) >> _32), layout.word_rows)
        w, bit = divmod(np.int64((x1 * side) >> _32), WORD_BITS)
        cluster[y, w, lane] = ONE << np.uint64(bit + 32 * half)


@kernel
def grow_clusters(cluster: Words, right: Words, vertical: Words, layout: RowLayout) -> int:
    """Add to each lane's cluster all sites that bonds connect to it; returns the words visited.

    Sweeps go down and up the rows in turn. A word is visited when a word beside it has changed
    since its last visit; with no such word left, the clusters are complete.

    Args:
        cluster: (word rows, words per row, LANES) the sites so far, changed in place.
        right: (word rows, words per row, LANES) bonds to the right.
        vertical: (word rows + 1, words per row, LANES) bonds downward.
        layout: of the lattice.
    """
    rows, words = layout.word_rows, layout.words_per_row
    aside = np.zeros(LANES, dtype=np.uint64)
    grown = np.empty(LANES, dtype=np.uint64)
    waiting = np.ones((rows, words), dtype=np.bool_)
    visits = 0
    changes = 1
    while changes > 0:
        changes = 0
        for k in range(2 * rows):
            y = k if k < rows else 2 * rows - 1 - k
            for w in range(words):
                if not waiting[y, w]:
                    continue
                waiting[y, w] = False
                visits += 1
                if words > 1:
                    _look_aside(cluster, right, y, w, aside, layout)
                if _absorb(cluster, right, vertical, y, w, aside, grown, layout):
                    changes += 1
                    waiting[y - 1 if y > 0 else rows - 1, w] = True
                    waiting[y + 1 if y + 1 < rows else 0, w] = True
                    if words > 1:
                        waiting[y, w - 1 if w > 0 else words - 1] = True
                        waiting[y, w + 1 if w + 1 < words else 0] = True
    return visits


@kernel
def _look_aside(
    cluster: Words, right: Words, y: int, w: int, aside: Words, layout: RowLayout
) -> None:
    """Sites of word (y, w) that bonds connect to the cluster in the words at its sides.

    Args:
        cluster: (word rows, words per row, LANES) the sites so far.
        right: (word rows, words per row, LANES) bonds to the right.
        y: word row.
        w: word in the row.
        aside: (LANES,) where the sites go.
        layout: of the lattice.
    """
    previous_w = w - 1 if w > 0 else layout.words_per_row - 1
    next_w = w + 1 if w + 1 < layout.words_per_row else 0
    previous, following = cluster[y, previous_w], cluster[y, next_w]
    bonds, previous_bonds = right[y, w], right[y, previous_w]
    first, last = layout.first[w], layout.last[w]
    span, previous_span = layout.span[w], layout.span[previous_w]
    for lane in range(LANES):
        from_left = ((previous[lane] & previous_bonds[lane]) >> previous_span) & first
        from_right = ((following[lane] & first) << span) & bonds[lane] & last
        aside[lane] = from_left | from_right


@kernel
def _absorb(
    cluster: Words,
    right: Words,
    vertical: Words,
    y: int,
    w: int,
    aside: Words,
    grown: Words,
    layout: RowLayout,
) -> bool:
    """Grow the cluster in word (y, w): from above and below, by the sites ``aside``, and within.

    Args:
        cluster: (word rows, words per row, LANES) the sites so far, changed in place.
        right: (word rows, words per row, LANES) bonds to the right.
        vertical: (word rows + 1, words per row, LANES) bonds downward.
        y: word row.
        w: word in the row.
        aside: (LANES,) sites that ``_look_aside`` found.
        grown: (LANES,) work space: writing to the cluster itself in the first loop would hide from
            the compiler that the lanes are independent.
        layout: of the lattice.
    Returns:
        Whether any lane has new sites.
    """
    above_y = y - 1 if y > 0 else layout.word_rows - 1
    below_y = y + 1 if y + 1 < layout.word_rows else 0
    turn_above = layout.exchange if y == 0 else _ZERO
    turn_below = layout.exchange if below_y == 0 else _ZERO
    above, own, below = cluster[above_y, w], cluster[y, w], cluster[below_y, w]
    bonds_above, bonds_below, bonds = vertical[y, w], vertical[y + 1, w], right[y, w]
    first, last, span = layout.first[w], layout.last[w], layout.span[w]
    # Where a row is one word, the last column's bond leads back to the first column.
    seam = last if layout.words_per_row == 1 else _ZERO
    for lane in range(LANES):
        g = own[lane] | aside[lane]
        g |= exchange_halves(above[lane], turn_above) & bonds_above[lane]
        g |= exchange_halves(below[lane], turn_below) & bonds_below[lane]
        grown[lane] = _fill_runs(g, bonds[lane] & ~last, bonds[lane] & seam, first, last, span)
    changed = _ZERO
    for lane in range(LANES):
        changed |= own[lane] ^ grown[lane]
        own[lane] = grown[lane]
    return bool(changed != _ZERO)


@word_function
def _fill_runs(
    g: np.uint64,
    bonds: np.uint64,
    seam: np.uint64,
    first: np.uint64,
    last: np.uint64,
    span: np.uint64,
) -> np.uint64:
    """Fill every run of bonded bits that contains a set bit.

    Bond i joins bits i and i + 1; ``seam`` has the last column's bit if a bond joins it to the
    first column. Toward higher bits a run is filled by the carries of one addition, which end
    where the run of bonds ends; then across the seam, and on; toward lower bits by doubling.

    Args:
        g: the set bits.
        bonds: bonds within the word.
        seam: the bond across the edge, if there is one.
        first: sites of the first column.
        last: sites of the last column.
        span: distance between the two, in bits.
    Returns:
        The bits set and those reached.
    """
    g |= (bonds + (g & bonds)) ^ bonds
    g |= (g & seam) >> span
    g |= (bonds + (g & bonds)) ^ bonds
    # By now the end of the first column's run is set if any of its bits is. If so, it reaches the
    # last column across the seam: adding last − first carries any such bit to that column.
    end_of_first_run = ((bonds + first) ^ bonds) & ~bonds
    g |= ((g & end_of_first_run) + (last - first)) & seam
    g |= (g >> np.uint64(1)) & bonds
    bonds &= bonds >> np.uint64(1)
    g |= (g >> np.uint64(2)) & bonds
    bonds &= bonds >> np.uint64(2)
    g |= (g >> np.uint64(4)) & bonds
    bonds &= bonds >> np.uint64(4)
    g |= (g >> np.uint64(8)) & bonds
    bonds &= bonds >> np.uint64(8)
    g |= (g >> np.uint64(16)) & bonds
    bonds &= bonds >> np.uint64(16)
    return g | ((g >> np.uint64(32)) & bonds)
