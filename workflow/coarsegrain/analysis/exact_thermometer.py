"""Thermometer E: the inverse temperature at which the exact energy equals the measured one."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.exact import energy_per_site, heat_capacity_per_site
from coarsegrain.ising.observables import Spins
from coarsegrain.ising.observables import energy_per_site as energies_per_site

# Below this β the slope of the energy is that at β = 0 to float64's half.
SMALLEST_BETA = 1e-4
# Here E + 2 is about 1e-11, and float64 no longer resolves β by the energy beyond.
_MAX_BETA_OF_ENERGY = 3.5


class Reading(NamedTuple):
    """An inverse temperature and its standard error, J = k_B = 1."""

    beta: float
    std_error: float


def exact_beta(spins: Spins) -> Reading:
    """The maximum-likelihood β of lattices: ⟨H⟩ by Kaufman equals their mean energy.

    What is no Ising ensemble gets a β, too: that of the ensemble with its energy. On even lattices
    E(−β) = −E(β), so that a positive energy means a negative β.

    Args:
        spins: (n, L, L) ±1, n ≥ 2 independent lattices of one ensemble, L even and at least 4.
    Returns:
        β, with the error that follows from the spread of the energies; NaN for both where all
        lattices are in a ground state, which no finite β gives.
    Raises:
        ValueError: L is odd or below 4.
    """
    L = spins.shape[1]
    energies = energies_per_site(spins)
    energy = float(energies.mean())
    try:
        beta = -np.sign(energy) * beta_of_energy(-abs(energy), L)
    except ValueError:
        if L < 4 or L % 2:
            raise
        return Reading(np.nan, np.nan)
    size = max(abs(beta), SMALLEST_BETA)
    slope = heat_capacity_per_site(size, L) / size**2
    error = float(energies.std(ddof=1)) / len(energies) ** 0.5
    return Reading(float(beta), error / slope)


def exact_betas(spins: Spins, lowest: float, highest: float) -> npt.NDArray[np.float64]:
    """(n,) the maximum-likelihood β of every single lattice, within a range.

    The likelihood exp(−βH)/Z(β) of one lattice has one maximum; beyond the range the nearer end is
    the likeliest of it.

    Args:
        spins: (n, L, L) ±1, L even and at least 4.
        lowest: smallest β of the range, at least 0.
        highest: largest β of the range.
    Raises:
        ValueError: L is odd or below 4.
    """
    L = spins.shape[1]
    levels, at = np.unique(energies_per_site(spins), return_inverse=True)
    most, least = energy_per_site(lowest, L), energy_per_site(highest, L)
    within = (levels > least) & (levels < most)
    found = np.where(levels >= most, lowest, highest)
    found[within] = [beta_of_energy(float(energy), L) for energy in levels[within]]
    return found[at]


def beta_of_energy(energy: float, L: int) -> float:
    """The inverse temperature at which the exact energy per site equals ``energy``.

    The maximum-likelihood β of lattices with that mean energy: the likelihood exp(−βH)/Z is
    stationary where ⟨H⟩ equals the sample mean.

    Args:
        energy: (mean) energy per site, −2 < energy ≤ 0.
        L: side of the lattice, even, at least 4.
    Raises:
        ValueError: no finite β ≥ 0 has this energy.
    """
    lowest = energy_per_site(_MAX_BETA_OF_ENERGY, L)
    if not lowest < energy <= 0.0:
        raise ValueError(
            f"The energy per site is {energy}; a finite β ≥ 0 exists only for −2 < energy ≤ 0."
        )
    if energy == 0.0:
        return 0.0
    from scipy.optimize import brentq  # takes long, and few need it

    return float(
        brentq(lambda beta: energy_per_site(beta, L) - energy, 0.0, _MAX_BETA_OF_ENERGY, xtol=1e-14)
    )
