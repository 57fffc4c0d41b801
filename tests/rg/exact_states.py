"""All states of the 4 x 4 lattice with their probabilities: what estimates are tested against."""

from functools import cache

import numpy as np

from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.rg.coupling_operators import EVEN, operator_sums


@cache
def all_states():
    """(65536, 4, 4) int8."""
    bits = (np.arange(2**16)[:, None] >> np.arange(16)) & 1
    return (2 * bits - 1).astype(np.int8).reshape(-1, 4, 4)


@cache
def probabilities():
    """(65536,) at the critical point."""
    weights = np.exp(BETA_CRITICAL * operator_sums(all_states(), EVEN[:1])[:, 0])
    return weights / weights.sum()


def drawn(n, seed):
    """(n, 4, 4) independent states at the critical point."""
    rng = np.random.default_rng(seed)
    return all_states()[rng.choice(2**16, size=n, p=probabilities())]


def block_chances(spins):
    """(n, 2, 2) probability of +1 of each block by the majority rule."""
    sums = spins.reshape(-1, 2, 2, 2, 2).sum(axis=(2, 4), dtype=int)
    return (1 + np.sign(sums)) / 2


def weighted_covariance(a, b, weights):
    """⟨a_i b_j⟩ − ⟨a_i⟩⟨b_j⟩ of (n, k) numbers under (n,) probabilities."""
    return (a * weights[:, None]).T @ b - np.outer(weights @ a, weights @ b)
