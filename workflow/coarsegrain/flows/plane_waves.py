"""Fields by plane waves, as the kernels have them: R. Hartley's transform along both axes.

    x_k = Σ_i cas(2π k i/L) x_i/√L,  cas = cos + sin          (Proc. IRE 30, 144 (1942))

It is real, orthogonal and its own inverse. A matrix that is the same after all translations and
reflections of the lattice multiplies x_(k, l) by the eigenvalue of the wave vector (k, l).
"""

import math
from functools import cache

import numpy as np

from coarsegrain.flows.blocks import Blocks
from coarsegrain.flows.kernels.separable import multiply_axes


def waves_of(x: Blocks, L: int) -> Blocks:
    """Plane waves of fields (blocks, L² LANES), or fields of plane waves: a new array."""
    found = x.copy()
    multiply_axes(found, L, 1, _matrix(L))
    return found


@cache
def _matrix(L: int) -> Blocks:
    angles = [2 * math.pi * k / L for k in range(L)]
    row = np.array([(math.cos(each) + math.sin(each)) / math.sqrt(L) for each in angles])
    products = np.outer(np.arange(L), np.arange(L)) % L
    return np.asarray(row[products].reshape(-1), dtype=np.float32)
