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
from coarsegrain.flows.plane_waves import waves_of
from coarsegrain.simd import LANES
from coarsegrain.vector_math import exponentials, logarithms

Array = npt.NDArray[np.float64]
#: (blocks, L², LANES), see ``plane_waves``.
Waves = npt.NDArray[np.float32]


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
        self.L, self._orbits = len(spectrum), orbits.reshape(-1)
        all_logs = logarithms(spectrum) / 2 + logs[orbits]
        #: ln det C.
        self.log_det = math.fsum(all_logs.reshape(-1).tolist())
        self._values = exponentials(all_logs).reshape(-1, 1)
        self._inverse = (1 / spectrum).astype(np.float32).reshape(-1, 1)

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
        quadratic = _products(solved, x_k).sum(axis=1) / 2
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
        return np.bincount(self._orbits).astype(np.float64)

    def _by_orbit(self, left: Waves, right: Waves) -> Array:
        """Σ over samples of l r by orbit of the wave vectors: (orbits,)."""
        products = _products(left, right).sum(axis=(0, 2))
        return np.bincount(self._orbits, products).astype(np.float64)

    def _waves(self, x: Blocks) -> Waves:
        return waves_of(x, self.L).reshape(len(x), -1, LANES)

    def _fields(self, waves: Waves) -> Blocks:
        return waves_of(waves.reshape(len(waves), -1), self.L)


def _products(x: Waves, y: Waves) -> Array:
    """The products x y of all numbers, in float64."""
    return (x * y).astype(np.float64)
