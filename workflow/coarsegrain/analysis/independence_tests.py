"""Whether the lattices of a set are independent of each other.

The overlap of two lattices is q = (1/N) Σ σ_i σ'_i. For independent lattices its sign is a fair
coin, and its square does not depend on how far apart in the set the two are.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.lattice_check import (
    Check,
    FloatArray,
    normal_p,
    random_signs_z,
    skewed_p,
    worst_of,
)
from coarsegrain.ising.exact import log_partition_function
from coarsegrain.ising.observables import Spins

Index = npt.NDArray[np.int64]

# Distances at which the typical squared overlap is measured, and the set that it needs.
_REFERENCES, _SMALLEST_GROUP = 32, 32
# Repeated lattices whose probability is worked out: the least likely pairs.
_REPEATS = 200


class _Groups(NamedTuple):
    """Lattices in groups in which all are alike: at one β, or all of a set of scattered β.

    order: (n,) numbers of the lattices, group by group. place: (n,) position within the group.
    size: (n,) size of the group.
    """

    order: Index
    place: Index
    size: Index

    def pairs(self, distance: int) -> tuple[Index, Index]:
        """Numbers of all lattices with a successor at a distance, and of the successors."""
        at = np.flatnonzero(self.place + distance < self.size)
        return self.order[at], self.order[at + distance]

    def cyclic_pairs(self, distance: int) -> tuple[Index, Index]:
        """The same, going on from the end of a group at its beginning."""
        at = np.arange(len(self.order))
        return self.order, self.order[at - self.place + (self.place + distance) % self.size]


def _groups(betas: FloatArray) -> _Groups:
    n = len(betas)
    _, which, number = np.unique(betas, return_inverse=True, return_counts=True)
    if len(number) > n / 2:
        return _Groups(np.arange(n), np.arange(n), np.full(n, n))
    size = np.repeat(number, number)
    first = np.repeat(np.cumsum(number) - number, number)
    return _Groups(np.argsort(which, kind="stable"), np.arange(n) - first, size)


def independence_tests(spins: Spins, betas: FloatArray, scores: FloatArray) -> Iterator[Check]:
    """Overlaps and energies of lattices at several distances, and repeated lattices.

    Args:
        spins: (n, L, L) ±1.
        betas: (n,) inverse temperatures.
        scores: (n,) energies as standard normal numbers (``Energies.normal_scores``).
    """
    L = spins.shape[1]
    words = _as_words(spins)
    yield _repeats(words, betas, L)
    groups = _groups(betas)
    # neighbours, lanes of a kernel, and the same place in another shard
    smallest, largest = int(groups.size.min()), int(groups.size.max())
    powers = [2**k for k in range(16)]
    distances = sorted({*powers, *(largest // k for k in (2, 3, 4, 8)), largest - 1})
    distances = [d for d in distances if 0 < d < largest and len(groups.pairs(d)[0]) >= 50]
    if not distances:
        return
    overlaps: list[tuple[float, float, str]] = []
    energies: list[tuple[float, float, str]] = []
    for distance in distances:
        one, other = groups.pairs(distance)
        told = f"worst of {len(distances)} distances: {distance}"
        z = random_signs_z(_overlap(words, one, other, L**2))
        overlaps.append((z, normal_p(z), told))
        z = float((scores[one] * scores[other]).sum() / np.sqrt(len(one)))
        energies.append((z, normal_p(z), told))
    yield worst_of("overlap", betas, overlaps)
    yield worst_of("energies of pairs", betas, energies)
    if smallest >= _SMALLEST_GROUP:
        yield _squared_overlaps(words, groups, betas, distances, L**2)


def _as_words(spins: Spins) -> npt.NDArray[np.uint64]:
    """(n, words) the spins as bits, padded with zeros."""
    bits = np.packbits(spins.reshape(len(spins), -1) > 0, axis=1)
    padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)


def _overlap(words: npt.NDArray[np.uint64], one: Index, other: Index, sites: int) -> FloatArray:
    """(pairs,) overlaps of pairs of lattices."""
    differing = np.bitwise_count(words[one] ^ words[other]).sum(axis=1, dtype=np.int64)
    return np.asarray(1 - 2 * differing / sites, dtype=np.float64)


def _squared_overlaps(
    words: npt.NDArray[np.uint64], groups: _Groups, betas: FloatArray, distances: list[int], N: int
) -> Check:
    """Compare q² at each distance with q² of the same lattices at ``_REFERENCES`` other distances.

    What a lattice's own q² with any other has in excess is taken out of every pair: the rest is
    uncorrelated between pairs of independent lattices. Its second and third moments, measured at
    the reference distances, make the p-value.
    """
    half = (int(groups.size.min()) - 1) // 2
    golden = (np.arange(1, 4 * _REFERENCES) * 0.6180339887498949) % 1
    candidates = [d for d in dict.fromkeys((1 + golden * half).astype(int)) if d <= half]
    references = [d for d in candidates if d not in distances][:_REFERENCES]
    squares = [(_overlap(words, *groups.cyclic_pairs(d), N)) ** 2 for d in references]
    own, typical = np.zeros(len(betas)), np.zeros(len(betas))
    for distance, square in zip(references, squares):
        one, other = groups.cyclic_pairs(distance)
        own[one] += square / (2 * len(references))
        own[other] += square / (2 * len(references))
    group = np.cumsum(groups.place == 0) - 1
    sums = np.bincount(group, own[groups.order]) / np.bincount(group)
    typical[groups.order] = sums[group]

    def rest(square: FloatArray, one: Index, other: Index) -> FloatArray:
        return np.asarray(square - own[one] - own[other] + typical[one], dtype=np.float64)

    residues = np.concatenate(
        [rest(square, *groups.cyclic_pairs(d)) for d, square in zip(references, squares)]
    )
    # each lattice's own excess was measured on 2D pairs, and those pairs are among these
    variance = float(np.mean(residues**2)) / (1 - 1 / len(references))
    if variance == 0:
        return worst_of("squared overlap", betas, [(0.0, 1.0, "all overlaps are equal")])
    skewness = float(np.mean(residues**3)) / variance**1.5
    tried = []
    for distance in distances:
        one, other = groups.pairs(distance)
        residue = rest(_overlap(words, one, other, N) ** 2, one, other)
        error = np.sqrt(variance * len(one) * (1 + 1 / len(references)))
        z = float(residue.sum() / error)
        told = f"worst of {len(distances)} distances: {distance}"
        tried.append((z, skewed_p(z, skewness / len(one) ** 0.5), told))
    return worst_of("squared overlap", betas, tried)


def _repeats(words: npt.NDArray[np.uint64], betas: FloatArray, L: int) -> Check:
    """Lattices that are equal, or each other's negatives, where that should not happen.

    Two independent lattices are such a pair with probability π = 2 Z(β + β')/(Z(β) Z(β')). The sum
    of 1/π over all pairs found has the number of pairs as its expectation, so by Markov's
    inequality it exceeds that by a factor f with probability at most 1/f.
    """
    n = len(words)
    sites = np.uint64(L**2)
    full = np.zeros((1, words.shape[1] * 64), dtype=np.uint8)
    full[0, : int(sites)] = 1
    mask = np.packbits(full, axis=1).view(np.uint64)[0]
    first = (words[:, :1] >> np.uint64(7)) & np.uint64(1)  # packbits fills bytes from the top
    alike = np.where(first == 1, words, words ^ mask)
    order = np.lexsort(alike.T[::-1])
    same = (alike[order][1:] == alike[order][:-1]).all(axis=1)
    pairs = np.stack([order[:-1][same], order[1:][same]])
    number = pairs.shape[1]
    hottest = pairs[:, np.argsort(betas[pairs].sum(axis=0), kind="stable")[:_REPEATS]]
    log_weights = [
        log_partition_function(a, L) + log_partition_function(b, L)
        - log_partition_function(a + b, L) - np.log(2)
        for a, b in betas[hottest].T.tolist()
    ]  # fmt: skip
    log_excess = np.logaddexp.reduce(log_weights) - np.log(n * (n - 1) / 2) if number else -np.inf
    p_value = float(np.exp(-max(0.0, min(log_excess, 700.0))))
    return worst_of(
        "repeated lattices", betas, [(float(number), p_value, f"{number} in {n} lattices")]
    )
