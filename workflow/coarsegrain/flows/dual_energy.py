"""The dual's energy E = ½ xᵀK⁻¹x − Σ ln cosh x and its gradient, of samples in blocks."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.blocks import Blocks
from coarsegrain.flows.kernels.dual import log_cosh_and_tangent
from coarsegrain.flows.plane_waves import waves_of
from coarsegrain.simd import LANES

Array = npt.NDArray[np.float64]
#: From fields (blocks, N LANES) to E of every sample, and ∂E/∂x of the fields' shape.
Energy = Callable[[Blocks], tuple[Array, Blocks]]


def dual_energy(spectrum: Array) -> Energy:
    """E of the dual model as a function of blocks.

    Args:
        spectrum: (L, L) eigenvalues of K by wave vector.
    """
    L = len(spectrum)
    inverse = (1 / spectrum).astype(np.float32).reshape(-1, 1)

    def energy(x: Blocks) -> tuple[Array, Blocks]:
        log_cosh, tangent = np.empty((len(x), LANES), dtype=np.float32), np.empty_like(x)
        log_cosh_and_tangent(x, log_cosh, tangent)
        waves = waves_of(x, L).reshape(len(x), -1, LANES) * inverse
        solved = waves_of(waves.reshape(x.shape), L)
        products = (x * solved).reshape(len(x), L * L, LANES)
        quadratic = products.astype(np.float64).sum(axis=1) / 2
        return (quadratic - log_cosh).reshape(-1), solved - tangent

    return energy
