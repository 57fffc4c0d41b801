"""95 % intervals over independently trained members, by Student's t."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

FloatArray = npt.NDArray[np.float64]
LEVEL = 0.95


class Interval(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:  # noqa: D105
        if self.low == self.high:
            return f"{self.value:.4g}"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def t_interval(values: FloatArray) -> Interval:
    """Mean ± t s/√n of independent values, t with n − 1 degrees of freedom.

    Args:
        values: (n,) one value per member, n ≥ 2.
    Raises:
        ValueError: fewer than two values have no spread.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"an interval takes two members or more, not {n}.")
    return _around(float(values.mean()), float(values.var(ddof=1)) / n, n - 1)


def crossed_interval(values: FloatArray) -> Interval:
    """Grand mean when every member of one net meets every member of another.

    Both nets' members are random samples, so both spreads count: the variance is
    s²(means of rows)/I + s²(means of columns)/J. Each term also holds a share of the interaction,
    which makes the sum a little too large; t has min(I, J) − 1 degrees of freedom, the smaller of
    the two, which makes the interval a little too wide.

    Args:
        values: (I, J) one value per pair of members, I, J ≥ 2.
    Raises:
        ValueError: one of the nets has fewer than two members.
    """
    rows, columns = values.shape
    if min(rows, columns) < 2:
        raise ValueError(f"a crossed interval takes two members of each net, not {values.shape}.")
    variance = values.mean(axis=1).var(ddof=1) / rows + values.mean(axis=0).var(ddof=1) / columns
    return _around(float(values.mean()), float(variance), min(rows, columns) - 1)


def _around(mean: float, variance: float, freedom: int) -> Interval:
    half_width = float(stdtrit(freedom, (1 + LEVEL) / 2)) * variance**0.5
    return Interval(mean, mean - half_width, mean + half_width)
