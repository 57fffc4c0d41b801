"""How ordered lattices are over the shortest distances: bonds, and spins alone among the others."""

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.observables import PerLattice, Spins


def correlation(spins: Spins, distance: int) -> PerLattice:
    """(n,) C(distance): mean of σ_x σ_y over pairs of sites so far apart along a row or a column.

    Args:
        spins: (n, L, L) ±1, periodic.
        distance: in lattice spacings.
    """
    pairs = sum((spins * np.roll(spins, -distance, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    return np.asarray(pairs / 2, dtype=np.float64)


def share_of_islands(spins: Spins) -> PerLattice:
    """(n,) share of the sites whose four neighbours all have the other sign.

    Args:
        spins: (n, L, L) ±1, periodic.
    """
    return np.asarray((spins * _sum_of_neighbours(spins) == -4).mean(axis=(1, 2)), dtype=np.float64)


def majority_filter(spins: Spins) -> Spins:
    """(n, L, L) every spin replaced by the majority of itself and its four neighbours.

    The simplest filter that removes noise from an image; it knows nothing of the Ising model.

    Args:
        spins: (n, L, L) ±1, periodic.
    """
    return np.where(spins + _sum_of_neighbours(spins) > 0, 1, -1).astype(np.int8)


def _sum_of_neighbours(spins: Spins) -> npt.NDArray[np.int8]:
    of_rows = np.roll(spins, 1, axis=1) + np.roll(spins, -1, axis=1)
    return np.asarray(of_rows + np.roll(spins, 1, axis=2) + np.roll(spins, -1, axis=2))
