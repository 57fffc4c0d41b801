"""Whether a training has come to rest, told from its history."""

import math

import numpy as np
import numpy.typing as npt

#: A training has converged if its validation objective fell by less, relative to before.
LARGEST_FALL = 0.01


def fall_over_last_quarter(objective: npt.NDArray[np.float64]) -> float:
    """Relative fall of the objective over the last quarter of the epochs.

    Args:
        objective: (epochs,) one value per epoch.
    Returns:
        (before − last)/before, negative if it rose; NaN with fewer than four epochs.
    """
    quarter = len(objective) // 4
    if quarter == 0:
        return math.nan
    before, last = objective[-1 - quarter], objective[-1]
    return float((before - last) / before) if before else 0.0


def has_converged(fall: float) -> bool:
    """Whether a training with this fall has come to rest; one with too few epochs has not."""
    return fall < LARGEST_FALL
