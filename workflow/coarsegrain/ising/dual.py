"""The Ising model as a density of continuous fields: its Hubbard–Stratonovich dual.

S.-H. Li and L. Wang, Phys. Rev. Lett. 121, 260601 (2018), arXiv:1802.02840. With the coupling
matrix K = β A + offset · 1, A the adjacency matrix of the periodic L × L lattice, a lattice s of
weight exp(½ sᵀK s) = exp(β Σ_<ij> s_i s_j + N offset/2) and fields x have the joint density

    exp(−½ xᵀK⁻¹x + sᵀx),

so that x given s is normal, with mean K s and covariance K, the spins given x are independent,
p(s_i = +1 | x) = σ(2 x_i), and the fields alone have the density exp(−E)/Z with

    E(x) = ½ xᵀK⁻¹x − Σ ln cosh x_i,
    ln Z = ln Z_Ising + (N/2)(ln 2π + offset − ln 4) + ½ ln det K.

The offset makes K positive: 1/10 more than −β times the lowest eigenvalue of A, which is −4. The
authors' own table of exact values takes γ₀ of Kaufman's formula without its sign and is wrong above
T_c by up to ln 2; ``exact.log_partition_function`` is not.

Fields are (n, L, L) float64 or float32; energies are computed in float64.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.exact import log_partition_function
from coarsegrain.ising.observables import Spins

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.floating]

#: What K's lowest eigenvalue is above 0: the authors' choice.
MARGIN = 0.1
#: The lowest eigenvalue of A is −4 for even L.
_LOWEST = 4.0


@dataclass(frozen=True)
class DualIsing:
    """The density of fields that is dual to the Ising model.

    Attributes:
        L: side of the lattice, even, at least 4.
        beta: inverse temperature, J = k_B = 1, 0 to 50.
    Raises:
        ValueError: L or beta out of range.
    """

    L: int
    beta: float

    def __post_init__(self) -> None:
        """Check the arguments, as the exact ln Z does."""
        log_partition_function(self.beta, self.L)

    @property
    def offset(self) -> float:
        """What K has on its diagonal."""
        return MARGIN + _LOWEST * self.beta

    @cached_property
    def spectrum(self) -> Array:
        """(L, L) eigenvalues of K by wave vector, in the order of ``numpy.fft.fft2``."""
        cosine = np.array([math.cos(2 * math.pi * k / self.L) for k in range(self.L)])
        return np.asarray(2 * self.beta * (cosine[:, None] + cosine[None, :]) + self.offset)

    def log_det(self) -> float:
        """ln det K."""
        return math.fsum(math.log(each) for each in self.spectrum.reshape(-1))

    def log_integral(self) -> float:
        """ln ∫ exp(−E(x)) dx in nats, exact."""
        constant = math.log(2 * math.pi) + self.offset - math.log(4)
        ising = log_partition_function(self.beta, self.L)
        return ising + self.L**2 / 2 * constant + self.log_det() / 2

    def energy(self, fields: Fields) -> Array:
        """E(x) of every sample, (n,) in nats."""
        x = np.asarray(fields, dtype=np.float64)
        quadratic = (self.multiplied(x, -1) * x).sum(axis=(1, 2)) / 2
        return np.asarray(quadratic - log_cosh(x).sum(axis=(1, 2)))

    def gradient(self, fields: Fields) -> Array:
        """∂E/∂x = K⁻¹x − tanh x, (n, L, L)."""
        x = np.asarray(fields, dtype=np.float64)
        return np.asarray(self.multiplied(x, -1) - np.tanh(x))

    def multiplied(self, fields: Fields, power: float) -> Array:
        """K to a power times the fields, (n, L, L)."""
        L = self.L
        spectrum = self.spectrum[:, : L // 2 + 1] ** power
        return np.asarray(np.fft.irfft2(np.fft.rfft2(fields) * spectrum, s=(L, L)))

    def draw_fields(self, spins: Spins, rng: np.random.Generator) -> Array:
        """Exact fields of lattices: from p(x | s), normal with mean K s and covariance K.

        If the lattices are samples of the Ising model at β, the fields are samples of the dual.

        Args:
            spins: (n, L, L) int8, ±1.
            rng: generator of the noise.
        Returns:
            (n, L, L).
        """
        noise = rng.standard_normal(spins.shape)
        return self.multiplied(spins.astype(np.float64), 1) + self.multiplied(noise, 0.5)

    def draw_spins(self, fields: Fields, rng: np.random.Generator) -> Spins:
        """Lattices of fields: every spin is +1 with the probability σ(2x).

        Args:
            fields: (n, L, L).
            rng: generator of the draws.
        Returns:
            (n, L, L) int8, ±1.
        """
        probability = (1 + np.tanh(np.asarray(fields, dtype=np.float64))) / 2
        up = rng.random(fields.shape) < probability
        return np.where(up, np.int8(1), np.int8(-1))


def log_cosh(x: Fields) -> Array:
    """ln cosh x of every number, without overflow: |x| + ln(1 + e^(−2|x|)) − ln 2."""
    size = np.abs(np.asarray(x, dtype=np.float64))
    return np.asarray(size + np.log1p(np.exp(-2 * size)) - math.log(2))


def magnetization_squared(fields: Fields) -> Array:
    """⟨m²⟩ given the fields, (n,): the spins are independent, with the means tanh x.

    (Σ tanh x_i/N)² − Σ tanh² x_i/N² + 1/N
    """
    mean_spins = np.tanh(np.asarray(fields, dtype=np.float64))
    sites = mean_spins.shape[1] * mean_spins.shape[2]
    mean = mean_spins.sum(axis=(1, 2)) / sites
    return np.asarray(mean**2 - (mean_spins**2).sum(axis=(1, 2)) / sites**2 + 1 / sites)
