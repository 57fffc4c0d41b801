"""One check of a set of lattices, and the tail probabilities that checks share."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaincc, ndtr, ndtri

FloatArray = npt.NDArray[np.float64]

# Scores of smaller probabilities are not told apart.
_SMALLEST_P = 1e-300


@dataclass(frozen=True)
class Check:
    """One comparison of a set of lattices with what is exactly true of Ising lattices.

    Attributes:
        name: what is compared.
        beta_min: lowest inverse temperature among the lattices compared.
        beta_max: highest.
        statistic: as the check defines it, e.g. a deviation in standard errors.
        p_value: two-sided probability of such a statistic, or one more extreme, for correct
            lattices. Never too small by more than the approximation that the check names.
        score: the standard normal deviate with that p-value, at most 37, with the sign of the
            statistic.
        detail: where or how, in words.
    """

    name: str
    beta_min: float
    beta_max: float
    statistic: float
    p_value: float
    detail: str = ""

    @property
    def score(self) -> float:
        """The p-value as a number of standard deviations, signed like the statistic."""
        return math.copysign(-float(ndtri(max(self.p_value, _SMALLEST_P) / 2)), self.statistic)


def normal_p(z: float) -> float:
    """Two-sided probability of a standard normal deviate."""
    return float(min(1.0, 2 * ndtr(-abs(z))))


def skewed_p(z: float, skewness: float) -> float:
    """Two-sided probability of a standardised sum with a known third moment.

    The heavy tail is that of the shifted gamma distribution with mean 0, variance 1 and this
    skewness (Pearson's type III), as of χ² and, nearly, of Poisson counts: a normal law's is far
    too thin at the levels used here. The light tail is gamma's or normal, whichever is heavier,
    since gamma's ends where the sum's need not.
    """
    if abs(skewness) < 1e-4:
        return normal_p(z)
    if skewness < 0:
        z, skewness = -z, -skewness
    shape = 4 / skewness**2
    at = max(0.0, shape + z * math.sqrt(shape))
    lower = max(gammainc(shape, at), ndtr(z))
    return float(min(1.0, 2 * min(gammaincc(shape, at), lower)))


def random_signs_z(values: FloatArray) -> float:
    """Σ v / √Σ v², for values whose signs are fair coins, independent given their sizes.

    Whatever the sizes, its tail is below 3.2 times the normal one (Pinelis, Ann. Prob. 22, 1647
    (1994)); 0 if all values are 0.
    """
    norm = math.sqrt(float(np.sum(values**2)))
    return float(values.sum()) / norm if norm > 0 else 0.0


def worst_of(name: str, betas: FloatArray, tried: list[tuple[float, float, str]]) -> Check:
    """The most improbable of several (statistic, p-value, detail), its p-value times their number.

    That is Bonferroni's inequality, which holds however the statistics depend on each other.
    """
    statistic, p_value, detail = min(tried, key=lambda each: each[1])
    return Check(
        name,
        float(betas.min()),
        float(betas.max()),
        statistic,
        min(1.0, p_value * len(tried)),
        detail,
    )
