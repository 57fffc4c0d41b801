"""The ratio of two partition functions by Bennett's acceptance ratio.

C. H. Bennett, J. Comput. Phys. 22, 245 (1976). p and q have known weights p* and q*; with
x = ln q* − ln p*, M = ln(n_q/n_p) and σ the logistic function, C = ln(Z_q/Z_p) is where

    n_p ⟨σ(x − C + M)⟩_p = n_q ⟨σ(C − M − x)⟩_q

It is the best use of samples of both (Shirts et al., Phys. Rev. Lett. 91, 140601 (2003)), and needs
that they overlap, which is measured: Σ σ(1 − σ) over all samples, relative to its value for p = q.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: The smallest overlap, and its least product with the number of samples, for an estimate to be
#: believed: below, errors of 4 σ come once in forty.
SMALLEST_OVERLAP, FEWEST_EFFECTIVE = 0.05, 100.0
# ln Z is found to this many nats.
_TOLERANCE = 1e-12


class Ratio(NamedTuple):
    """ln(Z_q/Z_p) in nats.

    Attributes:
        value: Bennett's estimate.
        std_error: by the spread over independent samples of p and chains of q.
        overlap: of p and q, 0 to 1.
        n: independent samples, of p or of q, whichever are fewer.
        influence: (n_p,) how much each sample of p moves the value, with mean 0: its share of the
            error, for means over the same samples.
    """

    value: float
    std_error: float
    overlap: float
    n: int
    influence: Array

    @property
    def believed(self) -> bool:
        """Whether p and q overlap enough for value and error to be believed."""
        return self.overlap >= SMALLEST_OVERLAP and self.overlap * self.n >= FEWEST_EFFECTIVE


def bennett_ratio(x_p: Array, x_q: Array) -> Ratio:
    """ln(Z_q/Z_p) from x = ln q* − ln p* on samples of both.

    Args:
        x_p: (n_p,) on independent samples of p, n_p ≥ 2.
        x_q: (chains, states) on samples of q, from at least 2 independent chains.
    Raises:
        ValueError: there are fewer.
    """
    if x_p.ndim != 1 or len(x_p) < 2 or x_q.ndim != 2 or len(x_q) < 2:
        raise ValueError(
            f"samples of shape {x_p.shape} and {x_q.shape}; Bennett's ratio needs (n,) of p and "
            "(chains, states) of q, at least two of each."
        )
    n_p, n_q = x_p.size, x_q.size
    ln_ratio = float(np.log(n_q / n_p))
    low = float(min(x_p.min(), x_q.min())) - abs(ln_ratio) - 50.0
    high = float(max(x_p.max(), x_q.max())) + abs(ln_ratio) + 50.0
    while high - low > _TOLERANCE * max(1.0, abs(low), abs(high)):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        excess = logistic(x_p - middle + ln_ratio).sum() - logistic(middle - ln_ratio - x_q).sum()
        low, high = (middle, high) if excess > 0 else (low, middle)
    value = 0.5 * (low + high)
    of_p, of_q = logistic(x_p - value + ln_ratio), logistic(value - ln_ratio - x_q)
    # −d(excess)/dC; what one sample adds to the excess, divided by it, is its influence.
    slope = float((of_p * (1 - of_p)).sum() + (of_q * (1 - of_q)).sum())
    influence = n_p * (of_p - of_p.mean()) / slope
    by_chain = n_q * (of_q.mean(axis=1) - of_q.mean()) / slope
    variance = influence.var(ddof=1) / n_p + by_chain.var(ddof=1) / len(by_chain)
    overlap = slope * (n_p + n_q) / (n_p * n_q)
    n = min(n_p, _independent_states(of_q))
    return Ratio(value, float(np.sqrt(variance)), overlap, n, influence)


def _independent_states(of_q: Array) -> int:
    """How many independent states would have means as precise as those of (chains, states)."""
    chains, states = of_q.shape
    of_means = float(of_q.mean(axis=1).var(ddof=1))
    gain = float(of_q.var()) / of_means if of_means > 0 else states
    return int(chains * min(max(gain, 1.0), states))


def logistic(x: Array) -> Array:
    """σ(x) = 1/(1 + e^(−x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, e) / (1.0 + e))
