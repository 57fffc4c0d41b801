"""Where on the coarse lattice the units of a layer stand, told from their weights.

Apart from the maps, since it needs SciPy, and a new SciPy should not run what has no units anew.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def centres(weights: npt.NDArray[np.floating]) -> FloatArray:
    """Centre of each unit's receptive field on the torus.

    Per direction the angle of Σ_i W_i² exp(2πi x_i/L), which knows no edges.

    Args:
        weights: (L², units).
    Returns:
        (units, 2) row and column, 0 to L.
    """
    L = round(len(weights) ** 0.5)
    mass = np.asarray(weights, dtype=np.float64).T.reshape(-1, L, L) ** 2
    wave = np.exp(2j * np.pi * np.arange(L) / L)
    by_direction = [(mass.sum(axis=axis) * wave).sum(axis=1) for axis in (2, 1)]
    return np.stack([np.angle(each) * L / (2 * np.pi) % L for each in by_direction], axis=1)


def placed_units(weights: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """One coarse site for each unit, such that Σ (distance of its centre to the block's)² is least.

    The Hungarian assignment. Distances are periodic; block (I, J) has its centre at row 2I + ½ and
    column 2J + ½.

    Args:
        weights: (L², L²/4).
    Returns:
        (L²/4,) the coarse site I·L/2 + J of each unit.
    Raises:
        ValueError: the units are not as many as blocks.
    """
    inputs, units = weights.shape
    L = round(inputs**0.5)
    if inputs != L * L or L % 2 or 4 * units != inputs:
        raise ValueError(f"{units} units of {inputs} inputs are not one for each 2 x 2 block.")
    blocks = 2 * np.indices((L // 2, L // 2)).reshape(2, -1).T + 0.5
    apart = np.abs(centres(weights)[:, None] - blocks[None])
    distance = np.minimum(apart, L - apart)
    from scipy.optimize import linear_sum_assignment  # takes long, and few need it

    # rounded: equal distances are told apart the same way on every processor
    _, sites = linear_sum_assignment(np.round((distance**2).sum(axis=2), 6))
    return np.asarray(sites, dtype=np.int64)


def upright(weights: npt.NDArray[np.floating]) -> FloatArray:
    """±1 for each unit, the sign of its weights' sum: a machine is the same with units flipped.

    Args:
        weights: (inputs, units).
    """
    total = np.asarray(weights, dtype=np.float64).sum(axis=0)
    return np.where(total < 0, -1.0, 1.0)
