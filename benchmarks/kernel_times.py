"""Times of the sampler's own parts: a heat-bath sweep, a Wolff step."""

import time

import numpy as np

from coarsegrain.ising.sampler.chains import advance, cold_start
from coarsegrain.ising.sampler.heat_bath import heat_bath_sweep
from coarsegrain.ising.sampler.lattices import thresholds_by_lane
from coarsegrain.ising.sampler.layout import LANES, RowLayout, Words, row_layout
from coarsegrain.ising.sampler.thresholds import Thresholds
from coarsegrain.ising.sampler.wolff import wolff_step
from coarsegrain.jit import kernel


@kernel
def _heat_bath_sweeps(
    words: Words, thresholds: Thresholds, sweeps: int, key: np.uint64, layout: RowLayout
) -> None:
    """``sweeps`` sweeps of all lattices, without cluster steps."""
    for group in range(words.shape[0]):
        against_2, against_4 = thresholds.against_2[group], thresholds.against_4[group]
        for number in range(sweeps):
            heat_bath_sweep(
                words[group], against_2, against_4, np.uint64(number), np.uint64(group * LANES),
                key, key, layout,
            )  # fmt: skip


@kernel
def _wolff_steps(
    words: Words, thresholds: Thresholds, steps: int, key: np.uint64, layout: RowLayout
) -> None:
    """``steps`` Wolff steps of all lattices, without sweeps."""
    rows = layout.word_rows
    right = np.empty((rows, layout.words_per_row, LANES), dtype=np.uint64)
    cluster = np.empty((rows, layout.words_per_row, LANES), dtype=np.uint64)
    vertical = np.empty((rows + 1, layout.words_per_row, LANES), dtype=np.uint64)
    for group in range(words.shape[0]):
        for number in range(steps):
            wolff_step(
                words[group], right, vertical, cluster, thresholds.bond[group],
                np.uint64(number), np.uint64(group * LANES), key, key, layout,
            )  # fmt: skip


class Kernels:
    """Lattices in equilibrium on one core, and the kernels that move them."""

    def __init__(self, beta: float, L: int, n: int = 16 * LANES) -> None:
        """Equilibrate n lattices, a multiple of LANES, and compile."""
        self._layout, self._n, self._spins = row_layout(L), n, n * L * L
        self._thresholds = thresholds_by_lane(np.full(n, beta))
        shape = (n // LANES, self._layout.word_rows, self._layout.words_per_row, LANES)
        self._words = np.empty(shape, dtype=np.uint64)
        self._key = np.uint64(1)
        key = self._key
        cold_start(self._words, np.uint64(0), key, key, self._layout)
        advance(self._words, self._thresholds, np.uint64(0), 1, 50, key, key, self._layout)
        self.wolff_nanoseconds(1)
        self.flips_per_nanosecond(1)

    def wolff_nanoseconds(self, steps: int) -> float:
        """Time of one Wolff step of one lattice."""
        start = time.process_time()
        _wolff_steps(self._words, self._thresholds, steps, self._key, self._layout)
        return (time.process_time() - start) * 1e9 / (steps * self._n)

    def flips_per_nanosecond(self, sweeps: int) -> float:
        """Spin updates per nanosecond of the heat-bath sweep, flipped or not."""
        start = time.process_time()
        _heat_bath_sweeps(self._words, self._thresholds, sweeps, self._key, self._layout)
        return sweeps * self._spins / ((time.process_time() - start) * 1e9)
