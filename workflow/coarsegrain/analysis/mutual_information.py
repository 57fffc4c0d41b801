"""Mutual information of two continuous variables, from samples.

A. Kraskov, H. Stögbauer and P. Grassberger, Phys. Rev. E 69, 066138 (2004), their first estimator.
"""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import digamma

Array = npt.NDArray[np.float64]

#: Nearest neighbours of a sample that are looked at; they recommend 2 to 4.
NEIGHBOURS = 3
# What rounding may do to a difference of two values, as a share of the distance between neighbours.
_ROUNDING = 1e-9


def mutual_information(x: Array, y: Array, *, neighbours: int = NEIGHBOURS) -> float:
    """I(x; y) in nats, which is 0 if and only if the variables are independent.

    I = ψ(k) + ψ(n) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩

    where n_x and n_y count the other samples that are nearer in x, and in y, than the k-th nearest
    is in both: in the larger of the two differences. The estimate has no bias if the variables are
    independent, and may then be below 0.

    Args:
        x: (n,) samples of one variable.
        y: (n,) of the other one, at the same time.
        neighbours: k.
    Raises:
        ValueError: there are no more than k samples, or more than k equal ones.
    """
    samples = len(x)
    if samples <= neighbours:
        raise ValueError(
            f"{samples} samples have no {neighbours} nearest neighbours; take more of them."
        )
    points = np.stack([x, y], axis=1)
    distances, _ = cKDTree(points).query(points, k=neighbours + 1, p=np.inf)
    reach = distances[:, -1] * (1 - _ROUNDING)
    if not (reach > 0).all():
        raise ValueError(
            f"more than {neighbours} samples are equal: the variables are not continuous."
        )
    near_x, near_y = _within(reach, np.asarray(x)), _within(reach, np.asarray(y))
    mean = float((digamma(near_x) + digamma(near_y)).mean())
    return float(digamma(neighbours) + digamma(samples)) - mean


def _within(reach: Array, values: Array) -> npt.NDArray[np.int64]:
    """How many values lie within reach of each one, itself included."""
    in_order = np.sort(values)
    low = np.searchsorted(in_order, values - reach, side="right")
    high = np.searchsorted(in_order, values + reach, side="left")
    return np.asarray(high - low, dtype=np.int64)
