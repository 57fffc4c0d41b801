"""How samples lie in the kernels' arrays: in blocks of 32, one in each lane of a vector.

(blocks, N · 32) float32: site i of the samples of a block stands at 32 i … 32 i + 31.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from coarsegrain.simd import LANES

Blocks = npt.NDArray[np.float32]

#: Samples that are drawn or evaluated at once.
AT_ONCE = 2048


def to_blocks(samples: npt.NDArray[np.floating]) -> Blocks:
    """Samples (n, …) as blocks; the last one is filled up with the first samples again."""
    blocks = blocks_of(len(samples))
    filled = np.resize(np.asarray(samples, np.float32), (blocks * LANES, *samples.shape[1:]))
    lanes = filled.reshape(blocks, LANES, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(lanes.reshape(blocks, -1))


def of_blocks(x: Blocks, L: int) -> npt.NDArray[np.float64]:
    """Fields (32 · blocks, L, L) of blocks."""
    fields = x.reshape(len(x), L * L, LANES).transpose(0, 2, 1)
    return fields.reshape(-1, L, L).astype(np.float64)


def blocks_of(number: int) -> int:
    """How many blocks so many samples fill."""
    return -(-number // LANES)


def parts(number: int) -> Iterator[range]:
    """The numbers of the samples, ``AT_ONCE`` at a time."""
    for first in range(0, number, AT_ONCE):
        yield range(first, min(first + AT_ONCE, number))
