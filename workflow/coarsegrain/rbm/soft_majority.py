"""How far a hidden unit is a soft majority of a 2 x 2 block, by its weights and by what it does.

The soft majority kernel of block spins (Kadanoff 1966, smoothed) is

    p(h | v) = exp(W₀ h S)/2cosh(W₀ S),   S = Σ_block v

which is the conditional of a unit with the weight W₀ on the four sites of a block and none outside.
Since h and -h are the same unit up to a name, W₀ is taken to be positive.

A unit without weights is no soft majority: its cosine is 0, all of it is "beyond" the block and
nothing of it is told, though the kernel with W₀ = 0 is what it does.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.logistic import log_2cosh, probability_up
from coarsegrain.rbm.machine import FreeMachine, Spins, fields
from coarsegrain.rbm.receptive_fields import Fields, window_sums
from coarsegrain.sparsity import PerUnit

SIZE = 2
_LN2 = 0.6931471805599453
_LARGEST_SCALE = 20.0  # the kernel is the hard majority to 1e-17
_HALVINGS = 60


class BlockFit(NamedTuple):
    """Least squares of a field by equal weights on one block; each (units,).

    The last four are shares of Σ w² and add up to 1 - cosine².

    Attributes:
        row: first row of the block.
        col: its first column.
        scale: W₀, the mean of the block's weights, without its sign.
        sign: +1 or -1, of the block's weights.
        cosine: between field and block; 1 for a soft majority.
        uneven: what the block's weights differ in.
        ring: in the twelve sites around the block.
        beyond: further away.
    """

    row: npt.NDArray[np.int64]
    col: npt.NDArray[np.int64]
    scale: PerUnit
    sign: PerUnit
    cosine: PerUnit
    uneven: PerUnit
    ring: PerUnit
    beyond: PerUnit


class ConditionalFit(NamedTuple):
    """The kernel nearest to a unit's own p(h|v) on lattices; each (units,).

    Attributes:
        scale: W₀ of least Kullback-Leibler divergence.
        kl: of the unit's p(h|v) from the kernel's, in nats, mean over lattices.
        blind: of the unit's p(h|v) from ½, in nats: what the unit tells of a lattice, at most.
        told: 1 - kl/blind, what part of that the kernel has; 0 for a unit without weights.
    """

    scale: PerUnit
    kl: PerUnit
    blind: PerUnit
    told: PerUnit


def fit_block(receptive: Fields) -> BlockFit:
    """The 2 x 2 block, anywhere on the torus, whose equal weights are nearest to each field.

    Args:
        receptive: (units, L, L), L at least 4.
    """
    units, L, _ = receptive.shape
    sums = window_sums(receptive, SIZE).reshape(units, -1)
    at = abs(sums).argmax(axis=1)
    row, col = np.divmod(at, L)
    each = np.arange(units)
    inside = sums[each, at]
    squares = window_sums(receptive**2, SIZE)[each, row, col]
    around = window_sums(receptive**2, 2 * SIZE)[each, (row - 1) % L, (col - 1) % L]
    total = (receptive**2).reshape(units, -1).sum(axis=1)
    silent = total == 0
    norm = np.where(silent, 1, total)
    even = inside**2 / SIZE**2
    return BlockFit(
        row=row,
        col=col,
        scale=abs(inside) / SIZE**2,
        sign=np.where(inside < 0, -1.0, 1.0),
        cosine=np.minimum(np.sqrt(even / norm), 1),
        uneven=np.maximum(squares - even, 0) / norm,
        ring=np.maximum(around - squares, 0) / norm,
        beyond=np.where(silent, 1, np.maximum(total - around, 0) / norm),
    )


def fit_conditional(receptive: Fields, fit: BlockFit, spins: Spins) -> ConditionalFit:
    """W₀ of the kernel on each unit's block that is nearest to what the unit does on lattices.

    Minimizes ⟨ln 2cosh(W₀S) - W₀ S tanh x⟩, x the unit's field: convex in W₀ ≥ 0, and stationary
    where 2 p₂ tanh 2W₀ + 4 p₄ tanh 4W₀ = ⟨S tanh x⟩, p₂ and p₄ the shares of |S| = 2 and 4.

    Args:
        receptive: (units, L, L).
        fit: their blocks.
        spins: (n, L, L) ±1.
    """
    units, L, _ = receptive.shape
    weights = np.ascontiguousarray(receptive.reshape(units, -1).T)
    x = fields(FreeMachine(weights), spins)
    mean = 2 * probability_up(x) - 1
    order = _mean(x * mean - log_2cosh(x))  # minus the entropy of p(h|v)
    flat = spins.reshape(len(spins), -1).astype(np.int64)
    block = sum(
        flat[:, (fit.row + i) % L * L + (fit.col + j) % L] for i in range(SIZE) for j in range(SIZE)
    ) * fit.sign.astype(np.int64)
    aligned = _mean(block * mean)
    shares = {size: _mean((abs(block) == size).astype(np.float64)) for size in (0, 2, 4)}
    scale = _stationary(shares[2], shares[4], aligned)
    cross = sum(shares[size] * log_2cosh(size * scale) for size in (0, 2, 4)) - scale * aligned
    silent = abs(weights).max(axis=0) == 0
    kl = np.where(silent, 0, np.maximum(cross + order, 0))
    blind = np.where(silent, 0, np.maximum(_LN2 + order, 0))
    told = np.where(silent, 0, 1 - kl / np.where(silent, 1, blind))
    return ConditionalFit(np.where(silent, 0, scale), kl, blind, told)


def _stationary(two: PerUnit, four: PerUnit, aligned: PerUnit) -> PerUnit:
    """W₀ by bisection, 0 to ``_LARGEST_SCALE``."""
    low, high = np.zeros_like(two), np.full_like(two, _LARGEST_SCALE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = 2 * two * _tanh(2 * middle) + 4 * four * _tanh(4 * middle) - aligned
        low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
    return (low + high) / 2


def _tanh(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 2 * probability_up(x) - 1


def _mean(values: npt.NDArray[np.float64]) -> PerUnit:
    """Over lattices, added one after the other."""
    return np.asarray(values.sum(axis=0) / len(values))
