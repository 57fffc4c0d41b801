"""Block means between scales: an orthogonal transform of every 2 × 2 block.

    (a, b, c, d) → ½ (a+b+c+d, a−b+c−d, a+b−c−d, a−b−c+d)

It is its own inverse and its own transpose, so fields, derivatives and scores all pass it alike, in
both directions (A. Haar, Math. Ann. 69 (1910), 331). The block's first site, which goes on to the
next scale, gets twice the mean.
"""

import numpy as np

from coarsegrain.jit import kernel
from coarsegrain.simd import LANES, load, splat, store

F32 = np.float32


@kernel
def transform_blocks(x, L, step):  # type: ignore[no-untyped-def]
    """Transform all blocks of the lattice whose sites are ``step`` apart, in place.

    Args:
        x: (blocks of samples, L² LANES).
        L: side of the lattice.
        step: a power of 2 below L.
    """
    half = splat(F32(0.5))
    for block in range(len(x)):
        row = x[block]
        for i in range(0, L, 2 * step):
            for j in range(0, L, 2 * step):
                first = LANES * (i * L + j)
                right, down = LANES * step, LANES * step * L
                a, b = load(row, first), load(row, first + right)
                c, d = load(row, first + down), load(row, first + down + right)
                sums, differences = a + b, a - b
                more, less = c + d, c - d
                store(row, first, half * (sums + more))
                store(row, first + right, half * (differences + less))
                store(row, first + down, half * (sums - more))
                store(row, first + down + right, half * (differences - less))
