"""The coarse-graining maps by name: what the nets learn or have hard-coded."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from coarsegrain.rg.decimation import decimate, decimation_matrix
from coarsegrain.rg.majority import block_spins, majority_matrix, pair_means

MapName = Literal["decimation", "majority"]


def coarse_grain(
    spins: npt.NDArray[np.int8], name: MapName, *, seed: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Coarse-grain lattices twice, each step halving the number of sites.

    Args:
        spins: (n, L, L) int8, ±1.
        name: ``decimation`` or ``majority``.
        seed: of the random ties (``majority`` only).
    Returns:
        After step 1: (n, L, L/2) for decimation; (n, L/2, L) with 0 for a tied pair for majority.
        After step 2: (n, L/2, L/2), ±1.
    """
    if name == "decimation":
        first, second = decimate(spins, 1), decimate(spins, 2)
        return first.astype(np.int8, copy=False), second.astype(np.int8, copy=False)
    return pair_means(spins), block_spins(spins, rng=np.random.default_rng(seed))


def hard_coded_weights(L: int, name: MapName, step: int) -> npt.NDArray[np.float64]:
    """Weights of the hard-coded net HCG for step 1 or 2 of the map, (inputs, outputs), y = x W."""
    return decimation_matrix(L, step) if name == "decimation" else majority_matrix(L, step)
