"""Observables of ±1 lattices with periodic boundaries.

Every function takes ``spins``: (n, rows, columns) int8, ±1, and returns (n,) float64, exact to
rounding: sums are integers before the one division.
"""

import numpy as np
import numpy.typing as npt

Spins = npt.NDArray[np.int8]
PerLattice = npt.NDArray[np.float64]


def energy_per_site(spins: Spins) -> PerLattice:
    """−(Σ over nearest-neighbour pairs of σ_i σ_j)/N, J = 1: −2 where all spins are equal."""
    right = spins * np.roll(spins, -1, axis=2)
    down = spins * np.roll(spins, -1, axis=1)
    pairs = right.sum(axis=(1, 2), dtype=np.int64) + down.sum(axis=(1, 2), dtype=np.int64)
    return np.asarray(-pairs / _sites(spins), dtype=np.float64)


def magnetization(spins: Spins) -> PerLattice:
    """Signed magnetization per site, (Σ σ_i)/N."""
    return np.asarray(spins.sum(axis=(1, 2), dtype=np.int64) / _sites(spins), dtype=np.float64)


def magnetization_squared(spins: Spins) -> PerLattice:
    """m², with ⟨m²⟩ = χ/(β N) for the susceptibility χ per site of the disordered phase."""
    return magnetization(spins) ** 2


def heat_capacity(energies: PerLattice, beta: float, sites: int) -> float:
    """Heat capacity per site, β² N Var(e), from the energies per site of lattices at one β.

    Args:
        energies: (n,) energies per site, n ≥ 2.
        beta: their inverse temperature.
        sites: N, the sites of one lattice.
    """
    return beta**2 * sites * float(np.var(energies, ddof=1))


def binder_cumulant(magnetizations: PerLattice) -> float:
    """U₄ = 1 − ⟨m⁴⟩/(3⟨m²⟩²): 2/3 in the ordered phase, 0 for Gaussian m (Binder 1981)."""
    m2 = np.mean(magnetizations**2)
    return float(1 - np.mean(magnetizations**4) / (3 * m2**2))


def _sites(spins: Spins) -> int:
    return int(spins.shape[1] * spins.shape[2])
