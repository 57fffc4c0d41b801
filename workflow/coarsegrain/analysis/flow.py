"""The flow of β: where a map of lattices to lattices leaves the inverse temperature as it is.

Fixed points of β -> β' are found in two ways: the straight line fitted to all points and its
intersection with the diagonal (what Shukla & Thakur 2021 do in fig. 16), and the crossing of the
points themselves, joined by straight pieces. The interval comes from a bootstrap over members and,
within each β, over lattices.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.statistics import bootstrap_interval

FloatArray = npt.NDArray[np.float64]
FixedPoint = Callable[[FloatArray, FloatArray], float]


def line_crossing(beta: FloatArray, beta_after: FloatArray) -> float:
    """β at which the least-squares line through the points meets the diagonal; NaN if parallel.

    Args:
        beta: (k,) inverse temperatures before.
        beta_after: (k,) after.
    """
    slope, intercept = np.polyfit(beta, beta_after, 1)
    return float(intercept / (1 - slope)) if slope != 1 else float("nan")


def interpolated_crossing(beta: FloatArray, beta_after: FloatArray) -> float:
    """Largest β at which the points, joined by straight pieces, cross the diagonal; else NaN.

    Args:
        beta: (k,) inverse temperatures before, increasing.
        beta_after: (k,) after.
    """
    excess = beta_after - beta
    crossings = np.flatnonzero((excess[:-1] > 0) != (excess[1:] > 0))
    if len(crossings) == 0:
        return float("nan")
    i = crossings[-1]
    share = excess[i] / (excess[i] - excess[i + 1])
    return float(beta[i] + share * (beta[i + 1] - beta[i]))


def fixed_point(
    beta: FloatArray,
    predictions: FloatArray,
    crossing: FixedPoint,
    *,
    bootstrap_samples: int,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """A fixed point with its 95 % bootstrap interval over members and lattices.

    Args:
        beta: (k,) inverse temperatures before, increasing.
        predictions: (members, k, lattices) β of every lattice after the map.
        crossing: ``line_crossing`` or ``interpolated_crossing``.
        bootstrap_samples: number of resamplings.
        rng: draws them.
    Returns:
        (β*, low, high); NaN where there is none.
    """
    members, _, lattices = predictions.shape
    estimate = crossing(beta, predictions.mean(axis=(0, 2)))
    samples = np.empty(bootstrap_samples)
    for i in range(bootstrap_samples):
        chosen_members = rng.integers(0, members, size=members)
        # resampling lattices = weighting each by how often it was drawn, the same for all members,
        # which saw the same lattices
        draws = rng.multinomial(lattices, np.full(lattices, 1 / lattices), size=len(beta))
        per_member = np.einsum("mkl,kl->mk", predictions, draws) / lattices
        samples[i] = crossing(beta, per_member[chosen_members].mean(axis=0))
    return estimate, *bootstrap_interval(samples)
