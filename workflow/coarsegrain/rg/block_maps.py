"""Maps from a lattice to one of half the side, given or random: what is put to the test of RG.

A map takes spins (n, L, L) int8, ±1, L even, and a generator, and returns (n, L/2, L/2) int8,
±1. Coarse site (I, J) stands for the block of rows 2I, 2I + 1 and columns 2J, 2J + 1. ``rng`` draws
what is random in a map anew for every lattice; what is random and belongs to the map itself, such
as a permutation, comes from the map's own seed and the side.

Among them are controls that are no renormalization: a share of spins flipped, coarse sites
shuffled, blocks of sites that are no neighbours.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coarsegrain.rg.decimation import decimate
from coarsegrain.rg.majority import block_spins

Spins = npt.NDArray[np.int8]


class BlockMap(Protocol):
    """A map from (n, L, L) to (n, L/2, L/2) spins."""

    def __call__(self, spins: Spins, *, rng: np.random.Generator) -> Spins:
        """Coarse spins; ``rng`` draws what is random in them."""
        ...


def majority(spins: Spins, *, rng: np.random.Generator) -> Spins:
    """Sign of each block's sum, ties at random."""
    return block_spins(spins, rng=rng)


def decimation(spins: Spins, *, rng: np.random.Generator) -> Spins:
    """The spin of even row and even column of each block. Nothing is random."""
    return np.asarray(decimate(spins, 2), dtype=np.int8)


def soft_majority(strength: float) -> BlockMap:
    """p(h|v) = exp(W₀ h Σv)/2cosh(W₀ Σv), Σv the block's sum; the majority rule as W₀ → ∞.

    Args:
        strength: W₀.
    """
    # A block's sum takes five values: p(h = +1) of each, in units of 2⁻³².
    chances = np.array(
        [round(2**32 / (1 + math.exp(-2 * strength * total))) for total in (-4, -2, 0, 2, 4)],
        dtype=np.uint64,
    )

    def of_spins(spins: Spins, *, rng: np.random.Generator) -> Spins:
        plus_pairs = (_block_sums(spins) + 4) // 2
        drawn = rng.integers(0, 2**32, size=plus_pairs.shape, dtype=np.uint32)
        return _signs(drawn < chances[plus_pairs])

    return of_spins


def majority_with_flips(share: float) -> BlockMap:
    """The majority rule, then each coarse spin flipped with probability ``share``."""
    chance = np.uint64(round(share * 2**32))

    def of_spins(spins: Spins, *, rng: np.random.Generator) -> Spins:
        blocks = block_spins(spins, rng=rng)
        flipped = rng.integers(0, 2**32, size=blocks.shape, dtype=np.uint32) < chance
        return np.where(flipped, -blocks, blocks)

    return of_spins


def shuffled_majority(seed: int) -> BlockMap:
    """The majority rule, then one permutation of the coarse sites, the same for all lattices."""

    def of_spins(spins: Spins, *, rng: np.random.Generator) -> Spins:
        return _permuted(block_spins(spins, rng=rng), seed)

    return of_spins


def random_blocks(seed: int) -> BlockMap:
    """The majority rule of four sites drawn anywhere, each site in one such block.

    The blocks are drawn once for every side and are the same for all lattices.
    """

    def of_spins(spins: Spins, *, rng: np.random.Generator) -> Spins:
        return block_spins(_permuted(spins, seed), rng=rng)

    return of_spins


def tied_layer(kernel: npt.NDArray[np.floating], *, sampled: bool) -> BlockMap:
    """Hidden layer of a machine that has one kernel for all places: field Σ W v of a window.

    The n × n window of coarse site (I, J) begins at row 2I − (n − 2)/2, rounded down, and column
    likewise: it is centred on the site's block.

    Args:
        kernel: (n, n) weights.
        sampled: h = +1 with probability σ(2 field); else the sign of the mean, tanh(field).
    """
    weights = exact_in_any_order(kernel)
    n = len(weights)
    start = -(n - 2) // 2

    def field(spins: Spins) -> npt.NDArray[np.float64]:
        L = spins.shape[1]
        total = np.zeros((len(spins), L // 2, L // 2))
        for row in range(n):
            rows = spins[:, (np.arange(0, L, 2) + row + start) % L]
            for column in range(n):
                seen = rows[:, :, (np.arange(0, L, 2) + column + start) % L]
                total += weights[row, column] * seen
        return total

    return _layer(field, sampled=sampled)


def dense_layer(
    weights: npt.NDArray[np.floating],
    sites: npt.NDArray[np.integer],
    *,
    sampled: bool,
    biases: npt.NDArray[np.floating] | None = None,
) -> BlockMap:
    """Hidden layer of a machine or net with weights of its own for each unit, at one side L only.

    Args:
        weights: (L², L²/4), one column for each unit.
        sites: (L²/4,) the coarse site I·L/2 + J of each unit (see ``unit_placement``).
        sampled: h = +1 with probability σ(2 field); else the sign of the field.
        biases: (L²/4,), or None for zero.
    """
    exact = np.empty_like(weights, dtype=np.float64)
    exact[:, sites] = exact_in_any_order(weights)
    offsets = np.zeros(len(sites))
    if biases is not None:
        offsets[sites] = exact_in_any_order(biases)

    def field(spins: Spins) -> npt.NDArray[np.float64]:
        n, L, _ = spins.shape
        if len(exact) != L * L:
            raise ValueError(f"a layer of {len(exact)} inputs does not take lattices of side {L}.")
        total = spins.reshape(n, -1).astype(np.float64) @ exact + offsets
        return np.asarray(total.reshape(n, L // 2, L // 2))

    return _layer(field, sampled=sampled)


def exact_in_any_order(weights: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Weights rounded to multiples of 2⁻³⁰: sums of ± them below 2²² have no rounding error.

    The order of a sum, which BLAS chooses by the processor, then does not matter.
    """
    return np.asarray(np.rint(np.asarray(weights, dtype=np.float64) * 2**30) / 2**30)


def _layer(field: Callable[[Spins], npt.NDArray[np.float64]], *, sampled: bool) -> BlockMap:
    def of_spins(spins: Spins, *, rng: np.random.Generator) -> Spins:
        fields = field(spins)
        if sampled:
            return _signs(rng.random(fields.shape) < 1 / (1 + np.exp(np.minimum(-2 * fields, 700))))
        ties = rng.integers(0, 2, size=fields.shape, dtype=np.int8) == 1
        return _signs((fields > 0) | ((fields == 0) & ties))

    return of_spins


def _block_sums(spins: Spins) -> npt.NDArray[np.int8]:
    rows = spins[:, 0::2] + spins[:, 1::2]
    return np.asarray(rows[:, :, 0::2] + rows[:, :, 1::2], dtype=np.int8)


def _permuted(spins: Spins, seed: int) -> Spins:
    """Lattices with their sites in an order that seed and side decide."""
    n, L, _ = spins.shape
    order = np.random.default_rng([seed, L]).permutation(L * L)
    return np.ascontiguousarray(spins.reshape(n, -1)[:, order]).reshape(spins.shape)


def _signs(plus: npt.NDArray[np.bool_]) -> Spins:
    return np.where(plus, np.int8(1), np.int8(-1))
