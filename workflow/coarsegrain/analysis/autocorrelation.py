"""How many steps of a Markov chain make one independent sample.

For a stationary sequence with the autocorrelations ρ(t) the variance of a mean of n values is
2 τ σ²/n, with the integrated autocorrelation time

    τ = ½ + Σ_{t ≥ 1} ρ(t),

½ if all are independent (others write 1 + 2 Σ ρ, twice as much). The sum is cut off at the first
W ≥ 6 τ(W), at least 6: what follows is mostly noise. The standard error is then √(2 (2W + 1)/n) τ,
n all values (N. Madras and A. Sokal, J. Stat. Phys. 50, 109 (1988)).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: W by τ. An exponential with τ ≫ 1 loses e^(−6) = 0.25 % of its sum.
WINDOW = 6.0


class AutocorrelationTime(NamedTuple):
    """τ in steps, by ½ + Σρ.

    Attributes:
        value: NaN where chains are too short to tell: no window ends in half of their length.
        error: standard error.
        window: W.
    """

    value: float
    error: float
    window: int


def autocorrelations(observed: Array) -> Array:
    """ρ(t) of chains with one common mean and variance.

    Args:
        observed: (steps, chains), stationary.
    Returns:
        (steps,), 1 at t = 0; NaN if nothing changes.
    """
    steps = len(observed)
    away = observed - observed.mean()
    waves = np.fft.rfft(away, 2 * steps, axis=0)
    products = np.fft.irfft(np.abs(waves) ** 2, 2 * steps, axis=0)[:steps].mean(axis=1)
    covariance = products / (steps - np.arange(steps))
    with np.errstate(invalid="ignore"):
        return np.asarray(covariance / covariance[0])


def autocorrelation_time(observed: Array) -> AutocorrelationTime:
    """τ of chains side by side.

    Args:
        observed: (steps, chains), stationary.
    """
    steps = len(observed)
    rho = autocorrelations(observed)
    value = np.cumsum(rho) - 0.5
    window = np.arange(steps)
    enough = (window >= WINDOW * np.maximum(value, 1)) & (window <= steps // 2)
    if not enough.any():
        return AutocorrelationTime(math.nan, math.nan, steps // 2)
    W = int(enough.argmax())
    tau = float(value[W])
    return AutocorrelationTime(tau, abs(tau) * math.sqrt(2 * (2 * W + 1) / observed.size), W)
