"""Growing a flow by sublattices: from L to 2L with the smaller flow's weights.

A coupling's weights do not know how large the lattice is, and near criticality all scales are
alike. The larger flow's two finest scales start as the smaller one's; every other starts as the
scale of the smaller flow that has as many sites, so what depends on the finite lattice stays in its
place.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.architecture import Architecture

Array = npt.NDArray[np.float64]

#: Of the mean of an ordered lattice, √N ⟨|m|⟩, when L doubles at T_c: 2^(1 − β/ν).
OF_MODES = 2 ** (7 / 8)


def grown(parameters: Array, architecture: Architecture) -> Array:
    """Parameters of a flow on a lattice of twice the side.

    The circulant matrix's eigenvalues are those of the same wave lengths, linear between them; the
    two modes move apart as the magnetization of an ordered lattice does at T_c.

    Args:
        parameters: (size,) of the smaller flow.
        architecture: of the smaller flow.
    Returns:
        (size,) of the larger one.
    """
    larger = replace(architecture, L=2 * architecture.L)
    found = np.zeros(larger.size)
    old, new = architecture.views(parameters), larger.views(found)
    for scale in range(larger.scales):
        finer = min(scale, max(1, scale - 1))
        for k in range(larger.couplings):
            to, of = _number(larger, scale, k), _number(architecture, finer, k)
            for name in ("first", "second", "last", "spline"):
                new[f"{to}.{name}"][:] = old[f"{of}.{name}"]
    new["mean"][:] = old["mean"]
    new["modes"][:] = OF_MODES * old["modes"][0], old["modes"][1]
    waves = old["spectrum"][architecture.orbits]
    new["spectrum"][larger.orbits] = _between(_between(waves).T).T
    return found


def _number(architecture: Architecture, scale: int, k: int) -> int:
    """Of the k-th coupling of a scale, 0 for the finest, among all."""
    return (architecture.scales - 1 - scale) * architecture.couplings + k


def _between(waves: Array) -> Array:
    """Twice as many rows: means between periodic neighbours."""
    doubled = np.repeat(waves, 2, axis=0)
    doubled[1::2] = (waves + np.roll(waves, -1, axis=0)) / 2
    return doubled
