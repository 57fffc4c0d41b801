"""Thermometer E: the inverse temperature at which the exact energy equals the measured one."""

from typing import NamedTuple

import numpy as np

from coarsegrain.ising.exact import beta_of_energy, heat_capacity_per_site
from coarsegrain.ising.observables import Spins
from coarsegrain.ising.observables import energy_per_site as energies_per_site

# Below this β the slope of the energy is that at β = 0 to float64's half.
SMALLEST_BETA = 1e-4


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
