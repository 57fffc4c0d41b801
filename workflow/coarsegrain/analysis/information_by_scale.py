"""Mutual information of neighbours on a lattice, scale by scale.

Of the sites that scale n of a flow has, those whose row and column 2ⁿ divides, a quarter goes on to
scale n + 1. The others' latent variables are those of scale n (S.-H. Li and L. Wang,
arXiv:1802.02840, fig. 1). Their nearest pairs are 2ⁿ apart in a row or a column, and √2 · 2ⁿ on a
diagonal. Any other variables, one for each site, can be measured at the same pairs.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.mutual_information import mutual_information
from coarsegrain.analysis.statistics import standard_error

Array = npt.NDArray[np.float64]
Sites = npt.NDArray[np.int64]

#: Independent parts of the samples, whose spread gives errors.
BATCHES = 10
#: Pairs of one kind that are measured at most, of the many that there are on a large lattice.
MOST_PAIRS = 8
# Rows and columns from one site of a pair to the other, in units of the scale.
_STRAIGHT, _DIAGONAL = ((0, 1), (1, 0)), ((1, 1), (1, -1))


@dataclass(frozen=True)
class Pairs:
    """Pairs of sites of one scale that are equally far apart.

    Attributes:
        scale: 2ⁿ, in sites.
        distance: between the two, in sites.
        sites: (pairs, 2) row-major.
    """

    scale: int
    distance: float
    sites: Sites


class Information(NamedTuple):
    """Mutual information of pairs, mean over them, with standard errors, in nats.

    Attributes:
        scale: 2ⁿ, in sites.
        distance: between the two of a pair, in sites.
        nats: mutual information.
        error: its standard error.
        null: the same after one of the two was shuffled among the samples: 0 but for noise.
        null_error: its standard error.
        pairs: how many.
    """

    scale: int
    distance: float
    nats: float
    error: float
    null: float
    null_error: float
    pairs: int


def nearest_pairs(L: int) -> list[Pairs]:
    """The nearest pairs of every scale, from the finest on; two kinds each.

    Args:
        L: side of the lattice, a power of 2.
    """
    found = []
    for n in range(L.bit_length() - 1):
        step = 2**n
        for steps, length in ((_STRAIGHT, 1.0), (_DIAGONAL, math.sqrt(2))):
            found.append(Pairs(step, step * length, _pairs(L, step, steps)))
    return found


def _pairs(L: int, step: int, steps: tuple[tuple[int, int], ...]) -> Sites:
    side = L // step
    row, column = np.indices((side, side)).reshape(2, -1)

    def stays(row: Sites, column: Sites) -> npt.NDArray[np.bool_]:
        return np.asarray((row % 2 == 1) | (column % 2 == 1))

    found = []
    for down, right in steps:
        there = (row + down) % side, (column + right) % side
        both = stays(row, column) & stays(*there)
        ends = [(each[0][both] * L + each[1][both]) * step for each in ((row, column), there)]
        found.append(np.sort(np.stack(ends, axis=1), axis=1))
    return np.unique(np.concatenate(found), axis=0)  # once, if the lattice is two sites wide


def information_by_scale(
    variables: Array,
    *,
    rng: np.random.Generator,
    batches: int = BATCHES,
    most_pairs: int = MOST_PAIRS,
) -> list[Information]:
    """Mutual information of the nearest pairs of every scale.

    Args:
        variables: (n, L, L) independent samples, at least 4 in a batch; a remainder is left out.
        rng: shuffles, and chooses pairs where there are too many.
        batches: of samples.
        most_pairs: of one kind.
    """
    L = variables.shape[1]
    each = len(variables) // batches
    parts = variables[: each * batches].reshape(batches, each, L * L)
    found = []
    for pairs in nearest_pairs(L):
        number = min(most_pairs, len(pairs.sites))
        chosen = rng.permutation(pairs.sites)[:number]
        nats, null = np.empty((batches, number)), np.empty((batches, number))
        for b, samples in enumerate(parts):
            for k, (one, other) in enumerate(chosen):
                x, y = samples[:, one], samples[:, other]
                nats[b, k] = mutual_information(x, y)
                null[b, k] = mutual_information(x, rng.permutation(y))
        of_pairs, of_shuffled = _with_error(nats), _with_error(null)
        found.append(Information(pairs.scale, pairs.distance, *of_pairs, *of_shuffled, number))
    return found


def _with_error(values: Array) -> tuple[float, float]:
    """Mean of (batches, pairs), with the error that the batches tell."""
    by_batch = values.mean(axis=1)
    return float(by_batch.mean()), float(standard_error(by_batch))
