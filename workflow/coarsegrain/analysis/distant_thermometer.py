"""Thermometer R: the inverse temperature by correlations over long distances.

Thermometer E (``exact_thermometer``) sees nearest neighbours only. This one looks at the longest
waves of the lattice, by what the second-moment correlation length is made of (F. Cooper,
B. Freedman and D. Preston, Nucl. Phys. B 210, 210 (1982)):

    y = ln ⟨M²⟩/⟨|F|²⟩,   (2 sin(π/L) ξ)² = e^y - 1,   β_R: y(β_R) = y measured

M is the sum of the spins, |F|² the mean over both axes of |Σ σ exp(2πi x/L)|². y grows with β
through all phases, where Binder's U₄ is nearly flat on either side of β_c. On an Ising ensemble E
and R agree; what they differ by elsewhere says how far lattices are from any.

y(β) comes from certified lattices of the same L at many β. Since ln Z is known exactly (Kaufman),
they serve at every β between: with n_k lattices at β_k,

    ⟨O⟩_β = Σ_i O_i e^(-βH_i)/Z(β) / Σ_k n_k e^(-β_k H_i)/Z(β_k)

which is multiple histograms (A. Ferrenberg and R. Swendsen, Phys. Rev. Lett. 63, 1195 (1989)) with
nothing to iterate.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.exact_thermometer import Reading
from coarsegrain.ising.exact import log_partition_function
from coarsegrain.ising.observables import Spins, energy_per_site

Array = npt.NDArray[np.float64]

_GROUPS = 20  # of lattices, left out one by one for the reference's own error
_HALVINGS = 50


@dataclass(frozen=True)
class DistantThermometer:
    """What certified lattices say of y at every β of their range; see the module.

    Attributes:
        L: side of the lattices.
        lowest: smallest β that can be read.
        highest: largest β that can be read.
        levels: (levels,) energies H of whole lattices that occur.
        log_mixture: (levels,) ln Σ_k n_k e^(-β_k H)/Z(β_k).
        sums: (groups, 2, levels) Σ M² and Σ |F|² over the lattices of a group on a level.
    """

    L: int
    lowest: float
    highest: float
    levels: Array
    log_mixture: Array
    sums: Array

    @classmethod
    def from_lattices(cls, spins: Spins, betas: npt.ArrayLike) -> "DistantThermometer":
        """Calibrate on lattices whose β is certain.

        Args:
            spins: (n, L, L) ±1, independent, L even and at least 4.
            betas: (n,) their inverse temperatures; several, near enough that energies overlap.
        """
        L = spins.shape[1]
        energies = np.rint(energy_per_site(spins) * L**2)
        levels, at = np.unique(energies, return_inverse=True)
        known, counts = np.unique(np.asarray(betas, dtype=np.float64), return_counts=True)
        exponents = np.array(
            [
                np.log(n) - beta * levels - log_partition_function(float(beta), L)
                for beta, n in zip(known, counts)
            ]
        )
        top = exponents.max(axis=0)
        log_mixture = top + np.log(np.exp(exponents - top).sum(axis=0))
        # lattices of one β follow each other, so that every group has all β
        order = np.argsort(np.asarray(betas, dtype=np.float64), kind="stable")
        group = np.empty(len(spins), dtype=np.int64)
        group[order] = np.arange(len(spins)) % _GROUPS
        sums = np.zeros((_GROUPS, 2, len(levels)))
        for which, values in enumerate(long_waves(spins)):
            np.add.at(sums[:, which], (group, at), values)
        return cls(L, float(known.min()), float(known.max()), levels, log_mixture, sums)

    def y(self, beta: float) -> float:
        """ln ⟨M²⟩/⟨|F|²⟩ at an inverse temperature of the range."""
        return _log_ratio(self.sums.sum(axis=0), self._weights(beta))

    def slope(self, beta: float) -> float:
        """dy/dβ = ⟨|F|²H⟩/⟨|F|²⟩ - ⟨M²H⟩/⟨M²⟩."""
        uniform, wave = self.sums.sum(axis=0) * self._weights(beta)
        by_wave = (wave * self.levels).sum() / wave.sum()
        return float(by_wave - (uniform * self.levels).sum() / uniform.sum())

    def error(self, beta: float) -> float:
        """Standard error of y, from leaving out a twentieth of the lattices at a time."""
        weights, total = self._weights(beta), self.sums.sum(axis=0)
        without = np.array([_log_ratio(total - each, weights) for each in self.sums])
        return float(((_GROUPS - 1) * without.var()) ** 0.5)

    def read(self, spins: Spins) -> Reading:
        """β by long distances, and its error: of the lattices and of the reference.

        Args:
            spins: (n, L, L) ±1, n ≥ 2 independent lattices of one ensemble.
        Returns:
            NaN for both where no β of the reference's range has the measured y.
        Raises:
            ValueError: L is not the reference's.
        """
        if spins.shape[1:] != (self.L, self.L):
            raise ValueError(
                f"lattices of {spins.shape[1]} x {spins.shape[2]} sites cannot be read by a "
                f"reference of {self.L} x {self.L}."
            )
        measured, error = log_wave_ratio(spins)
        low, high = self.lowest, self.highest
        if not self.y(low) <= measured <= self.y(high):
            return Reading(np.nan, np.nan)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.y(middle) < measured else (low, middle)
        beta = (low + high) / 2
        return Reading(beta, float(np.hypot(error, self.error(beta)) / self.slope(beta)))

    def _weights(self, beta: float) -> Array:
        exponent = -beta * self.levels - self.log_mixture
        return np.asarray(np.exp(exponent - exponent.max()))


def long_waves(spins: Spins) -> tuple[Array, Array]:
    """M² and |F|² of every lattice, (n,) each; |F|² is the mean over the two axes."""
    L = spins.shape[1]
    angles = 2 * np.pi * np.arange(L) / L
    squares = np.zeros(len(spins))
    for axis in (1, 2):
        profile = spins.sum(axis=axis, dtype=np.int64)
        for wave in (np.cos(angles), np.sin(angles)):
            squares += (profile * wave).sum(axis=1) ** 2
    return spins.sum(axis=(1, 2), dtype=np.int64).astype(np.float64) ** 2, squares / 2


def log_wave_ratio(spins: Spins) -> tuple[float, float]:
    """y = ln ⟨M²⟩/⟨|F|²⟩ of lattices, and its standard error."""
    uniform, wave = long_waves(spins)
    if not (uniform.any() and wave.any()):
        return (np.inf if uniform.any() else -np.inf), np.nan
    relative = uniform / uniform.mean() - wave / wave.mean()
    error = float(relative.std(ddof=1)) / len(spins) ** 0.5
    return float(np.log(uniform.mean() / wave.mean())), error


def correlation_length(y: float, L: int) -> float:
    """Second-moment ξ in lattice spacings: (2 sin(π/L) ξ)² = e^y - 1; NaN below y = 0."""
    return float(np.sqrt(np.expm1(y)) / (2 * np.sin(np.pi / L))) if y >= 0 else float("nan")


def _log_ratio(sums: Array, weights: Array) -> float:
    uniform, wave = (sums * weights).sum(axis=1)
    return float(np.log(uniform / wave))
