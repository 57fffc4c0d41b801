"""Wolff's cluster step on bit rows.

U. Wolff, "Collective Monte Carlo updating for spin systems", Phys. Rev. Lett. 62, 361 (1989).
Here a random site is chosen, all bonds between spins like its own are drawn, then its cluster is
grown through them and flipped: the same law as growing it bond by bond. The site's own distribution
is of no consequence for the stationary state, as long as it does not look at the spins.

Arrays of words and bonds are those of ``bonds``.
"""

import numpy as np

from coarsegrain.ising.sampler.bonds import draw_bonds
from coarsegrain.ising.sampler.clusters import grow_clusters
from coarsegrain.ising.sampler.layout import (
    LANES,
    ONE,
    WORD_BITS,
    RowLayout,
    Words,
)
from coarsegrain.ising.sampler.philox import (
    SEED_SITE,
    VECTOR,
    Counters,
    consecutive_lanes,
    early_planes,
    stream_number,
    stream_products,
)
from coarsegrain.ising.sampler.word_vectors import load_words, store_words
from coarsegrain.jit import kernel

_ZERO = np.uint64(0)
_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


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
    counters = consecutive_lanes(step, first_lattice, k0, k1)
    unlike = np.empty(LANES, dtype=np.uint64)
    place_seeds(spins, cluster, unlike, counters, layout)
    draw_bonds(spins, unlike, right, vertical, bond_threshold, counters, layout)
    grow_clusters(cluster, right, vertical, layout)
    for at in range(0, spins.size, VECTOR):
        flipped = load_words(spins, at, VECTOR) ^ load_words(cluster, at, VECTOR)
        store_words(spins, at, flipped)


@kernel
def place_seeds(
    spins: Words, cluster: Words, unlike: Words, counters: Counters, layout: RowLayout
) -> None:
    """Make each lane's cluster one random site.

    Args:
        spins: (word rows, words per row, LANES).
        cluster: (word rows, words per row, LANES), where the sites go.
        unlike: (LANES,), where the opposites of the sites' spins go: 0 or all ones.
        counters: of the lanes.
        layout: of the lattice.
    """
    cluster[:] = _ZERO
    side = np.uint64(layout.side)
    stream = stream_number(SEED_SITE, 0)
    place = np.empty(LANES, dtype=np.uint64)
    for lane in range(0, LANES, VECTOR):
        of_stream = stream_products(counters, stream, lane)
        store_words(place, lane, early_planes(counters, of_stream, 0, lane)[0])
    for lane in range(LANES):
        x0, x1 = place[lane] & _LOW, place[lane] >> _32
        half, y = divmod(np.int64((x0 * side) >> _32), layout.word_rows)
        w, bit = divmod(np.int64((x1 * side) >> _32), WORD_BITS)
        site = np.uint64(bit + 32 * half)
        cluster[y, w, lane] = ONE << site
        unlike[lane] = ((spins[y, w, lane] >> site) & ONE) - ONE
