"""The sampler's Markov chains step by step, to see how fast they forget."""

from collections.abc import Iterator

import numpy as np

from coarsegrain.ising.observables import Spins
from coarsegrain.ising.sampler.chains import advance, cold_start
from coarsegrain.ising.sampler.lattices import thresholds_by_lane
from coarsegrain.ising.sampler.layout import LANES, row_layout, unpack_spins


def chain_states(
    beta: float, L: int, *, chains: int, burn_in: int, steps: int, seed: int
) -> Iterator[Spins]:
    """Lattices of hybrid chains after each of ``steps`` steps, of one cluster and one sweep each.

    They are those of ``sample_lattices`` with the same seed and ``steps`` from burn_in + 1 on.

    Args:
        beta: inverse temperature of all chains.
        L: side, even, 4 to 4096.
        chains: n, numbered from 0.
        burn_in: steps from a cold start before the first that is shown.
        steps: how many are shown.
        seed: key of the random numbers, 0 to 2⁶⁴ − 1.
    Yields:
        (n, L, L) int8, ±1.
    """
    layout = row_layout(L)
    k0, k1 = np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)
    thresholds = thresholds_by_lane(np.full(chains, beta))
    shape = (len(thresholds.bond), layout.word_rows, layout.words_per_row, LANES)
    words = np.empty(shape, dtype=np.uint64)
    zero = np.uint64(0)
    cold_start(words, zero, k0, k1, layout)
    advance(words, thresholds, zero, 1, burn_in, k0, k1, layout)
    for step in range(burn_in + 1, burn_in + steps + 1):
        advance(words, thresholds, zero, step, 1, k0, k1, layout)
        spins = np.empty((chains, L, L), dtype=np.int8)
        unpack_spins(words, spins, layout)
        yield spins
