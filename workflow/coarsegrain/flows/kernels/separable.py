"""The same matrix along the rows and along the columns of lattices."""

import numpy as np

from coarsegrain.flows.kernels.dense import dense
from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, store

F32 = np.float32


@kernel
def multiply_axes(x, L, step, matrix):  # type: ignore[no-untyped-def]
    """M X Mᵀ for the m × m lattices X whose sites are ``step`` apart, in place.

    Args:
        x: (blocks of samples, L² LANES).
        L: side of the lattice.
        step: a power of 2 below L; m = L/step.
        matrix: M, (m m,) float32, row by row.
    """
    m = L // step
    lattice, product = np.empty(m * m * LANES, F32), np.empty(m * m * LANES, F32)
    for block in range(len(x)):
        row = x[block]
        for i in range(m):
            for j in range(m):
                store(lattice, LANES * (i * m + j), load(row, LANES * step * (i * L + j)))
        dense(matrix, 0, m, m, False, False, m, lattice, 0, product, 0)  # X Mᵀ
        for i in range(m):
            for j in range(m):
                store(lattice, LANES * (j * m + i), load(product, LANES * (i * m + j)))
        dense(matrix, 0, m, m, False, False, m, lattice, 0, product, 0)  # (M X Mᵀ)ᵀ
        for i in range(m):
            for j in range(m):
                store(row, LANES * step * (i * L + j), load(product, LANES * (j * m + i)))
