"""A flow as the proposal of Metropolis and Hastings: fresh samples, accepted by their weights.

M. Albergo, G. Kanwar and P. Shanahan, Phys. Rev. D 100, 034515 (2019), arXiv:1904.12072. A fresh
sample x' of q takes the place of x with the probability min(1, w(x')/w(x)), w = p/q. Weights are
all that is needed: which samples a chain is at can be told before anything is observed.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Walk(NamedTuple):
    """Where chains were.

    Attributes:
        at: (proposals, n): which of its proposals a chain is at after each; the first is its start.
        acceptance: (n,) share of those that were accepted after the first.
    """

    at: npt.NDArray[np.int64]
    acceptance: Array


def independence_chains(log_weights: Array, *, rng: np.random.Generator) -> Walk:
    """Chains of many independent samples of q.

    Args:
        log_weights: (proposals, n) ln p/q of the samples, up to a constant; a column is a chain.
        rng: generator of acceptances.
    """
    proposals, n = log_weights.shape
    at = np.zeros((proposals, n), dtype=np.int64)
    here = log_weights[0]
    for k in range(1, proposals):
        accepted = np.log1p(-rng.random(n)) < log_weights[k] - here
        at[k] = np.where(accepted, k, at[k - 1])
        here = np.where(accepted, log_weights[k], here)
    moved = at[1:] > at[:-1]
    return Walk(at, moved.mean(axis=0, dtype=np.float64))
