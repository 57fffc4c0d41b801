"""The 2 x 2 patches on which the layers of a hierarchical flow act.

S.-H. Li and L. Wang, arXiv:1802.02840, fig. 1, the layout of the multi-scale entanglement
renormalization ansatz. Scale n lives on the sites whose row and column are multiples of 2ⁿ. Its
patches take neighbours there (dilation 2ⁿ) and tile these sites (stride 2ⁿ⁺¹). The disentangler's
begin at row and column 0, the decimator's at 2ⁿ, so each of the latter joins four of the former.
The last site of a decimator's patch, a multiple of 2ⁿ⁺¹, goes on to the next scale; the other three
are latents from there on.
"""

import numpy as np
import numpy.typing as npt

Sites = npt.NDArray[np.int64]


def patches(L: int, scale: int, offset: int) -> Sites:
    """The sites of all patches of a layer.

    Args:
        L: side of the lattice, a multiple of 2^(scale + 1).
        scale: n, 0 for the finest.
        offset: row and column of the first patch; a multiple of 2ⁿ.
    Returns:
        (L²/4ⁿ⁺¹, 4) row-major numbers of sites; within a patch also row-major.
    """
    stride, dilation = 2 ** (scale + 1), 2**scale
    first = np.arange(0, L, stride) + offset
    lines = (first[:, None] + [0, dilation]) % L  # (patches in a line, 2)
    sites: Sites = lines[:, None, :, None] * L + lines[None, :, None, :]
    return sites.reshape(-1, 4)


def layers_of_patches(L: int, depth: int) -> list[Sites]:
    """The patches of all layers, in the order from fields to latents.

    Args:
        L: side of the lattice, a power of 2.
        depth: number of scales, the finest ones, at most log₂ L.
    Returns:
        2 · depth sets: disentangler and decimator of every scale.
    """
    return [patches(L, n, offset) for n in range(depth) for offset in (0, 2**n)]
