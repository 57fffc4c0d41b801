"""The flow of β: where a map of lattices to lattices leaves the inverse temperature as it is.

Fixed points of β -> β' are found in two ways: the straight line fitted to all points and its
intersection with the diagonal (what Shukla & Thakur 2021 do in fig. 16), and the crossing of the
points themselves, joined by straight pieces. Every autoencoder is read by every thermometer, and
both spreads count, as does the lattices' own, by a bootstrap.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.intervals import Interval, crossed_interval, t_interval

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
) -> Interval:
    """Mean of the fixed points of all pairs of nets, with its 95 % interval over nets and lattices.

    Args:
        beta: (k,) inverse temperatures before, increasing.
        predictions: (autoencoders, thermometers, k, lattices) β of every lattice after the map, or
            (thermometers, k, lattices) of lattices that no net has changed.
        crossing: ``line_crossing`` or ``interpolated_crossing``.
        bootstrap_samples: number of resamplings of the lattices.
        rng: draws them.
    Returns:
        NaN, all three, unless every pair of nets has a fixed point.
    """
    curves = predictions.mean(axis=-1)
    pairs = curves.shape[:-1]
    stars = np.array([crossing(beta, curves[pair]) for pair in np.ndindex(pairs)]).reshape(pairs)
    if not np.isfinite(stars).all():
        return Interval(np.nan, np.nan, np.nan)
    # The lattices are the same for all nets, so that they move the mean curve as one.
    lattices = predictions.reshape(-1, *predictions.shape[-2:]).mean(axis=0)
    n = lattices.shape[1]
    samples = np.empty(bootstrap_samples)
    for i in range(bootstrap_samples):
        # resampling lattices = weighting each by how often it was drawn
        draws = rng.multinomial(n, np.full(n, 1 / n), size=len(beta))
        samples[i] = crossing(beta, (lattices * draws).mean(axis=1))
    interval = crossed_interval if stars.ndim == 2 else t_interval
    return interval(stars, float(np.nanstd(samples)))
