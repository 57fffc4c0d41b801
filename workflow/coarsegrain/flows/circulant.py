"""A circulant matrix C between a flow's couplings and its fields, and the dual's energy of x = C w.

C is the same after all translations and reflections of the lattice: it has an eigenvalue for every
orbit of wave vectors. The energy E(x) = ½ xᵀK⁻¹x − Σ ln cosh x and its derivatives are computed
where C is diagonal.
"""

import math

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.blocks import Blocks
from coarsegrain.flows.kernels.dual import log_cosh_and_tangent
from coarsegrain.simd import LANES
from coarsegrain.vector_math import exponentials, logarithms

Array = npt.NDArray[np.float64]
Waves = npt.NDArray[np.complexfloating]


class CirculantMatrix:
    """C, and the coupling matrix K of the energy."""

    def __init__(
        self, spectrum: Array, orbits: npt.NDArray[np.int64], logs: npt.NDArray[np.float32]
    ) -> None:
        """Make C.

        Args:
            spectrum: (L, L) eigenvalues of K by wave vector.
            orbits: (L, L) numbers of the wave vectors' orbits.
            logs: (orbits,) logarithms of C's eigenvalues, relative to √K's.
        """
        self.L, self._half = len(spectrum), len(spectrum) // 2 + 1
        self._orbits = orbits
        all_logs = logarithms(spectrum) / 2 + logs[orbits]
        #: ln det C.
        self.log_det = math.fsum(all_logs.reshape(-1).tolist())
        self._values = exponentials(all_logs[:, : self._half])[:, :, None]
        self._inverse = (1 / spectrum[:, : self._half]).astype(np.float32)[:, :, None]
        # how many wave vectors ±k each column of a transform of real fields stands for
        self._pairs = np.full(self._half, 2.0)
        self._pairs[[0, -1]] = 1

    def times(self, x: Blocks, power: int = 1) -> Blocks:
        """C x, or with the power −1 its solution."""
        return self._fields(self._waves(x) * self._values**power)

    def energy(self, w: Blocks, score: Blocks) -> tuple[Array, Blocks, Array]:
        """E(C w) of samples, and derivatives of the sum over samples.

        Args:
            w: fields before the matrix.
            score: more derivatives by them, added.
        Returns:
            (samples,); derivatives by w; (orbits,) by the logarithms of C's eigenvalues.
        """
        w_k = self._waves(w)
        x_k = w_k * self._values
        x = self._fields(x_k)
        log_cosh, tangent = np.empty((len(w), LANES), dtype=np.float32), np.empty_like(w)
        log_cosh_and_tangent(x, log_cosh, tangent)
        solved = x_k * self._inverse
        products = _products(solved, x_k) * self._pairs[:, None]
        quadratic = products.sum(axis=(1, 2)) / (2 * self.L**2)
        slope = (solved - self._waves(tangent)) * self._values
        gw = self._fields(slope) + score
        slope += self._waves(score)
        return (quadratic - log_cosh).reshape(-1), gw, self._by_orbit(slope, w_k)

    def derivatives(self, score: Blocks, w: Blocks) -> Array:
        """Derivatives of −ln q at fixed x = C w by way of w, by the logarithms of C's eigenvalues.

        Args:
            score: derivatives of ln q by the fields w before the matrix.
            w: these fields.
        Returns:
            (orbits,), summed over samples.
        """
        return self._by_orbit(self._waves(score), self._waves(w))

    def sizes(self) -> Array:
        """How many wave vectors each orbit has: the derivatives of ln det C, (orbits,)."""
        return np.bincount(self._orbits.reshape(-1)).astype(np.float64)

    def _by_orbit(self, left: Waves, right: Waves) -> Array:
        """Σ over samples of Re l̄ r by orbit of the wave vectors, of real fields: (orbits,)."""
        products = _products(left, right).sum(axis=(0, 3)) * self._pairs / self.L**2
        orbits = self._orbits[:, : self._half]
        return np.bincount(orbits.reshape(-1), products.reshape(-1)).astype(np.float64)

    def _waves(self, x: Blocks) -> Waves:
        return np.fft.rfft2(x.reshape(len(x), self.L, self.L, LANES), axes=(1, 2))

    def _fields(self, waves: Waves) -> Blocks:
        x = np.fft.irfft2(waves, s=(self.L, self.L), axes=(1, 2))
        return np.ascontiguousarray(x.reshape(len(x), -1), dtype=np.float32)


def _products(x: Waves, y: Waves) -> Array:
    """Re x̄ y of every number, in float64."""
    return np.asarray(x.real * y.real + x.imag * y.imag, dtype=np.float64)
