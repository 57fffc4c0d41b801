"""The flow of β under decimation, and where it stays. Only what draws the flow imports this.

Apart from the maps, since it needs SciPy, and a new SciPy should not train nets anew.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq


def effective_beta(beta: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Inverse temperature after one decimation, keeping pair couplings only.

    β' = (3/8) ln cosh 4β        (Shukla & Thakur 2021, eq. 5)

    Args:
        beta: inverse temperature or temperatures, J = k_B = 1.
    Returns:
        The renormalized inverse temperature; equals ``beta`` at 0 and at 0.50698.
    """
    x = 4 * np.abs(np.asarray(beta, dtype=np.float64))
    # ln cosh x = x + ln(1 + e^{-2x}) - ln 2, which does not overflow
    return np.asarray(3 / 8 * (x + np.log1p(np.exp(-2 * x)) - math.log(2)))


def fixed_point_of_effective_beta() -> float:
    """The unstable fixed point of eq. 5, where β' = β: 0.50698. (The paper prints 0.505.)"""
    return float(brentq(lambda beta: float(effective_beta(beta)) - beta, 0.3, 0.8, xtol=1e-14))
