"""Exact samples: coupling from the past, reading its random numbers once.

D. B. Wilson, "How to couple from the past using a read-once source of randomness", Random Struct.
Algorithms 16, 85 (2000), with the monotone heat bath of ``monotone``.

Sweeps of a lattice are numbered 1, 2, 3, …; block b is the sweeps (b − 1)·T + 1 to b·T, with
T = ``block_sweeps(beta, L)``. A block is a random map of states, independent of other blocks. It
*coalesces* if it takes all-up and all-down, and so every state between, to the same state.

1. Blocks are run from all-up and all-down until one coalesces. X is the state it leads to.
2. Further blocks are run. One that does not coalesce moves X on. The first one that does ends the
   run, and the sample is X as it was *before* that block.

Why this is exact: look at blocks without a beginning. Just before a coalescing block, the last
coalescing block before it has fixed the state whatever the past was: that is coupling from the
past for the moment at which the block begins, and whether it will coalesce is independent of all
that came earlier. Returning the state at the end of a coalescing block would be biased.

The bits of a lattice: counter (block of planes, stream, sweep, number of the lattice), key the
seed, streams as in ``monotone``. They, the sample, and the number of sweeps are functions of
(seed, number, β, L) alone. A run ends when it ends; none is ever given up.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.sampler.coalescence import block_sweeps
from coarsegrain.ising.sampler.layout import LANES, ONE, RowLayout, Words, unpack_spins
from coarsegrain.ising.sampler.monotone import monotone_sweep
from coarsegrain.ising.sampler.thresholds import thresholds
from coarsegrain.jit import kernel

_ZERO = np.uint64(0)
TOP, BOTTOM, CURRENT = range(3)
#: What a lane does.
_TO_FIRST, _TO_SECOND, _IDLE = range(3)
#: Spins updated between two calls of ``progress``, about: a fraction of a second of work.
_SPIN_UPDATES_PER_CALL = 2**28


class Runs(NamedTuple):
    """The runs in progress, one per lane: each takes the next lattice when it has finished one."""

    #: (3, word rows, words per row, LANES): from all-up, from all-down, and X.
    chains: Words
    #: (word rows, words per row, LANES): X before the present block.
    before: Words
    #: (LANES,) each: which of the n lattices it is, its T(2) and T(4), its number, its next sweep.
    which: npt.NDArray[np.int64]
    against_2: Words
    against_4: Words
    lattice: Words
    sweep: Words
    #: (LANES,) each: sweeps left in the present block, and _TO_FIRST, _TO_SECOND or _IDLE.
    left: npt.NDArray[np.int64]
    phase: npt.NDArray[np.int64]
    #: (2,): how many lattices are begun, how many finished.
    begun_finished: npt.NDArray[np.int64]


class Lattices(NamedTuple):
    """What is to be sampled, and what has been: n lattices."""

    #: (n,) each: T(2), T(4), sweeps of a block.
    against_2: Words
    against_4: Words
    block: npt.NDArray[np.int64]
    first: np.uint64
    #: (⌈n/LANES⌉, word rows, words per row, LANES): the samples.
    words: Words
    #: (n,): sweeps it took.
    sweeps: npt.NDArray[np.int64]


def sample_exactly(
    beta: npt.NDArray[np.float64],
    first_lattice: int,
    k0: np.uint64,
    k1: np.uint64,
    layout: RowLayout,
    progress: Callable[[int], None] | None = None,
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Sample one lattice per inverse temperature (n,), and say how many sweeps each took.

    Arguments are those of ``sample_lattices``, checked. Returns (n, L, L) int8 ±1 and (n,).
    """
    n, L = len(beta), layout.side
    shape = (layout.word_rows, layout.words_per_row, LANES)
    blocks = {b: block_sweeps(b, L) for b in np.unique(beta).tolist()}
    t = thresholds(beta)
    lattices = Lattices(
        against_2=t.against_2,
        against_4=t.against_4,
        block=np.array([blocks[b] for b in beta.tolist()], dtype=np.int64),
        first=np.uint64(first_lattice),
        words=np.zeros((-(-n // LANES), *shape), dtype=np.uint64),
        sweeps=np.zeros(n, dtype=np.int64),
    )
    runs = Runs(
        chains=np.zeros((3, *shape), dtype=np.uint64),
        before=np.zeros(shape, dtype=np.uint64),
        which=np.zeros(LANES, dtype=np.int64),
        against_2=np.zeros(LANES, dtype=np.uint64),
        against_4=np.zeros(LANES, dtype=np.uint64),
        lattice=np.zeros(LANES, dtype=np.uint64),
        sweep=np.zeros(LANES, dtype=np.uint64),
        left=np.zeros(LANES, dtype=np.int64),
        phase=np.zeros(LANES, dtype=np.int64),
        begun_finished=np.zeros(2, dtype=np.int64),
    )
    for lane in range(LANES):
        _begin(runs, lattices, lane, layout)
    sweeps_per_call = max(1, _SPIN_UPDATES_PER_CALL // (LANES * L * L))
    reported = 0
    while runs.begun_finished[1] < n:
        run_until_coupled(runs, lattices, sweeps_per_call, k0, k1, layout)
        if progress is not None and runs.begun_finished[1] > reported:
            reported = int(runs.begun_finished[1])
            progress(reported)
    spins = np.empty((n, L, L), dtype=np.int8)
    unpack_spins(lattices.words, spins, layout)
    return spins, lattices.sweeps


@kernel
def run_until_coupled(
    runs: Runs, lattices: Lattices, sweeps: int, k0: np.uint64, k1: np.uint64, layout: RowLayout
) -> None:
    """Move all runs on by at most ``sweeps`` sweeps. Two calls in a row are one."""
    for _ in range(sweeps):
        if runs.begun_finished[1] == len(lattices.block):
            return
        monotone_sweep(
            runs.chains, runs.against_2, runs.against_4, runs.sweep, runs.lattice, k0, k1, layout
        )
        apart = _apart(runs.chains, layout)
        for lane in range(LANES):
            runs.sweep[lane] += ONE
            runs.left[lane] -= 1
            phase = runs.phase[lane]
            if phase == _TO_SECOND and apart[lane] == _ZERO:
                # Once together, all-up and all-down stay so: this block coalesces.
                _finish(runs, lattices, lane)
                _begin(runs, lattices, lane, layout)
            elif phase != _IDLE and runs.left[lane] == 0:
                if phase == _TO_FIRST and apart[lane] == _ZERO:
                    runs.chains[CURRENT, :, :, lane] = runs.chains[TOP, :, :, lane]
                    runs.phase[lane] = _TO_SECOND
                _begin_block(runs, lattices, lane, layout)


@kernel
def _apart(chains: Words, layout: RowLayout) -> Words:
    """(LANES,): not zero where the states from all-up and all-down differ."""
    apart = np.zeros(LANES, dtype=np.uint64)
    for y in range(layout.word_rows):
        for w in range(layout.words_per_row):
            top, bottom = chains[TOP, y, w], chains[BOTTOM, y, w]
            for lane in range(LANES):
                apart[lane] |= top[lane] ^ bottom[lane]
    return apart


@kernel
def _begin(runs: Runs, lattices: Lattices, lane: int, layout: RowLayout) -> None:
    """Give the lane the next lattice, if there is one."""
    i = runs.begun_finished[0]
    if i == len(lattices.block):
        runs.phase[lane] = _IDLE
        return
    runs.begun_finished[0] += 1
    runs.which[lane] = i
    runs.against_2[lane] = lattices.against_2[i]
    runs.against_4[lane] = lattices.against_4[i]
    runs.lattice[lane] = lattices.first + np.uint64(i)
    runs.sweep[lane] = ONE
    runs.phase[lane] = _TO_FIRST
    _begin_block(runs, lattices, lane, layout)


@kernel
def _begin_block(runs: Runs, lattices: Lattices, lane: int, layout: RowLayout) -> None:
    """Start the next block from all-up and all-down, and keep X."""
    runs.left[lane] = lattices.block[runs.which[lane]]
    for w in range(layout.words_per_row):
        runs.chains[TOP, :, w, lane] = layout.sites[w]
        runs.chains[BOTTOM, :, w, lane] = _ZERO
    runs.before[:, :, lane] = runs.chains[CURRENT, :, :, lane]


@kernel
def _finish(runs: Runs, lattices: Lattices, lane: int) -> None:
    """Keep the sample: X before the present block."""
    i = runs.which[lane]
    runs.begun_finished[1] += 1
    lattices.words[i // LANES, :, :, i % LANES] = runs.before[:, :, lane]
    lattices.sweeps[i] = np.int64(runs.sweep[lane] - ONE)
