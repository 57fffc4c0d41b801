"""95 % intervals over independently trained members, by Student's t."""

from math import hypot
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

FloatArray = npt.NDArray[np.float64]
LEVEL = 0.95
# Standard errors to either side that hold 95 % of a normal distribution: 1.96.
NORMAL = float(ndtri((1 + LEVEL) / 2))


class Interval(NamedTuple):
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:  # noqa: D105
        if self.low == self.high:
            return f"{self.value:.4g}"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def t_interval(values: FloatArray, in_common: float = 0.0) -> Interval:
    """Mean ± t s/√n of independent values, t with n − 1 degrees of freedom.

    Args:
        values: (n,) one value per member, n ≥ 2.
        in_common: standard error of what all members share, such as the lattices that they are
            measured on. Its own 95 % are added in quadrature.
    Raises:
        ValueError: fewer than two values have no spread.
    """
    if len(values) < 2:
        raise ValueError(f"an interval takes two members or more, not {len(values)}.")
    return _around(values, [_half_width(values), NORMAL * in_common])


def crossed_interval(values: FloatArray, in_common: float = 0.0) -> Interval:
    """Grand mean when every member of one net meets every member of another.

    Both nets' members are random samples, so both spreads count. With effects of rows, of columns
    and of their interaction, of variances σ²_a, σ²_b and σ²_ab, the mean has the variance

        σ²_a/I + σ²_b/J + σ²_ab/(IJ)

    s²(means of rows)/I estimates the first and the last of them, s²(means of columns)/J the second
    and the last. Each gives a half-width by its own degrees of freedom, I − 1 and J − 1, and the
    two are added in quadrature. That covers 95 % where one spread is all there is, and more
    elsewhere (simulated in the tests): the interaction is counted twice.

    Args:
        values: (I, J) one value per pair of members, I, J ≥ 2.
        in_common: as in ``t_interval``.
    Raises:
        ValueError: one of the nets has fewer than two members.
    """
    if min(values.shape) < 2:
        raise ValueError(f"a crossed interval takes two members of each net, not {values.shape}.")
    of_nets = [_half_width(values.mean(axis=axis)) for axis in (0, 1)]
    return _around(values, [*of_nets, NORMAL * in_common])


def _half_width(values: FloatArray) -> float:
    n = len(values)
    return float(stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / n**0.5)


def _around(values: FloatArray, half_widths: list[float]) -> Interval:
    mean, half_width = float(values.mean()), hypot(*half_widths)
    return Interval(mean, mean - half_width, mean + half_width)
