"""Markov chains of many lattices: where they start, and how they are moved on.

One step = one Wolff cluster step + one checkerboard heat-bath sweep. The first moves large
clusters near the critical point, the second relaxes what small clusters leave behind.
"""

import numpy as np

from coarsegrain.ising.sampler.heat_bath import heat_bath_sweep
from coarsegrain.ising.sampler.layout import LANES, ONE, RowLayout, Words
from coarsegrain.ising.sampler.philox import START, stream_number
from coarsegrain.ising.sampler.thresholds import Thresholds
from coarsegrain.ising.sampler.wolff import wolff_step
from coarsegrain.jit import kernel
from coarsegrain.philox import philox4x32

_ZERO = np.uint64(0)


@kernel
def cold_start(
    words: Words, first_lattice: np.uint64, k0: np.uint64, k1: np.uint64, layout: RowLayout
) -> None:
    """Set each lattice to all up or all down, with equal probability.

    words: (groups, word rows, words per row, LANES), consecutive lattices from ``first_lattice``.
    """
    stream = stream_number(START, 0)
    for group in range(words.shape[0]):
        for lane in range(LANES):
            lattice = first_lattice + np.uint64(group * LANES + lane)
            x0, _, _, _ = philox4x32(_ZERO, stream, _ZERO, lattice, k0, k1)
            up = _ZERO - (x0 & ONE)
            for w in range(layout.words_per_row):
                words[group, :, w, lane] = layout.sites[w] & up


@kernel
def advance(
    words: Words,
    thresholds: Thresholds,
    first_lattice: np.uint64,
    first_step: int,
    steps: int,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
) -> None:
    """Move the chains on by ``steps`` steps, numbered from ``first_step``.

    words: (groups, word rows, words per row, LANES), consecutive lattices from ``first_lattice``.
    thresholds: each (groups, LANES). Two calls in a row, with consecutive step numbers, are one.
    """
    rows = layout.word_rows
    right = np.empty((rows, layout.words_per_row, LANES), dtype=np.uint64)
    cluster = np.empty((rows, layout.words_per_row, LANES), dtype=np.uint64)
    vertical = np.empty((rows + 1, layout.words_per_row, LANES), dtype=np.uint64)
    for group in range(words.shape[0]):
        spins = words[group]
        bond = thresholds.bond[group]
        against_2, against_4 = thresholds.against_2[group], thresholds.against_4[group]
        lattice = first_lattice + np.uint64(group * LANES)
        for number in range(first_step, first_step + steps):
            step = np.uint64(number)
            wolff_step(spins, right, vertical, cluster, bond, step, lattice, k0, k1, layout)
            heat_bath_sweep(spins, against_2, against_4, step, lattice, k0, k1, layout)
