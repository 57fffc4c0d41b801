"""Why a machine with one hidden unit per disjoint 2 x 2 block cannot be block spins.

The soft majority kernel (``rbm.soft_majority``) on Ising lattices is the joint distribution

    p(v, h) = p_Ising(v) Π_B exp(W₀ h_B S_B)/2cosh(W₀ S_B)

As an energy it has h_B S_B, which a Boltzmann machine has, and + ln 2cosh(W₀ S_B), the normalizer,
which it has not. Without that, and without couplings among visible units, the sum over h leaves

    p(v) = Π_B 2cosh(W₀ S_B)/Z_B,   Z_B = 4 cosh 4W₀ + 16 cosh 2W₀ + 12

a product over blocks: spins of two blocks are independent, whatever the weights. Its divergence
from the Ising model follows from the distribution of a single block,

    KL(Ising || machine)             = (N/4) [ln Z_B - ⟨ln 2cosh(W₀ S)⟩] - S
    KL(Ising || any product of blocks) ≥ (N/4) S_B - S

with S = ln Z + β⟨H⟩ the entropy of the Ising model (Kaufman) and S_B that of a block; the bound is
reached by the product of the block's own marginals.

By symmetry a block is described by four numbers, the shares of blocks that are all equal (2
states), have one spin that differs (8), two neighbouring ones (4), or two opposite ones (2).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.exact import energy_per_site, entropy
from coarsegrain.ising.observables import Spins
from coarsegrain.ising.observables import energy_per_site as energies_per_site
from coarsegrain.rbm.logistic import log_2cosh

Array = npt.NDArray[np.float64]

#: States of a block that are all equal, have one spin that differs, two neighbours, two opposite.
STATES = np.array([2, 8, 4, 2])
#: |sum of the spins| by class.
SUMS = np.array([4, 2, 0, 0])
LARGEST_SIDE = 8  # of the transfer matrix
_LARGEST_SCALE = 5.0


class Block(NamedTuple):
    """How a 2 x 2 block of a lattice is distributed.

    Attributes:
        shares: (4,) probability of each class.
        per_lattice: (n, 4) what the lattices show, freed of what their energies explain; None where
            the shares are exact.
    """

    shares: Array
    per_lattice: Array | None = None


class Divergence(NamedTuple):
    """KL(Ising || machine) of a whole lattice in nats, with its standard error (0: exact)."""

    nats: float
    std_error: float


def block_classes(spins: Spins) -> Array:
    """Shares of the four classes among the N blocks of every lattice, (n, 4)."""
    sums = spins + np.roll(spins, -1, axis=1)
    total = abs(sums + np.roll(sums, -1, axis=2))
    opposite = (total == 0) & (spins == np.roll(spins, (-1, -1), axis=(1, 2)))
    neighbours = (total == 0) & ~opposite
    return np.stack([each.mean(axis=(1, 2)) for each in (total == 4, total == 2, neighbours,
                                                         opposite)], axis=1)  # fmt: skip


def exact_block(beta: float, L: int) -> Block:
    """By the transfer matrix of rows: p(two rows) = T(r, r') (T^(L-1))(r', r)/Z.

    Args:
        beta: inverse temperature.
        L: side, 2 to ``LARGEST_SIDE``.
    Raises:
        ValueError: L is out of range.
    """
    if not 2 <= L <= LARGEST_SIDE:
        raise ValueError(f"L is {L}; transfer matrices are used for L from 2 to {LARGEST_SIDE}.")
    rows = 1 - 2 * (np.arange(2**L)[:, None] >> np.arange(L) & 1)
    within = (rows * np.roll(rows, -1, axis=1)).sum(axis=1)
    between = (rows[:, None] * rows[None]).sum(axis=2)
    exponent = beta * (between + (within[:, None] + within[None]) / 2)
    transfer = np.exp(exponent - beta * 2 * L)  # the largest is 1
    others = transfer
    for _ in range(L - 2):
        others = _product(others, transfer)
    weight = transfer * others.T
    pair = np.stack(np.broadcast_arrays(rows[:, None], rows[None]), axis=2)  # (r, r', row, site)
    classes = np.zeros(4)
    for site in range(L):
        block = pair[..., [site, (site + 1) % L]]
        total = abs(block.sum(axis=(2, 3)))
        opposite = (total == 0) & (block[..., 0, 0] == block[..., 1, 1])
        for c, chosen in enumerate((total == 4, total == 2, (total == 0) & ~opposite, opposite)):
            classes[c] += weight[chosen].sum()
    return Block(classes / (L * weight.sum()))


def measured_block(spins: Spins, beta: float) -> Block:
    """From independent lattices, with their energy as control variate.

    The mean bond of a block is that of the lattice, and its expectation is known exactly; what the
    energies of the lattices are off explains part of what the classes are off.

    Args:
        spins: (n, L, L) ±1, independent lattices at ``beta``, L even and at least 4.
        beta: inverse temperature.
    """
    shares = block_classes(spins)
    bond = -energies_per_site(spins) / 2
    exact = -energy_per_site(beta, spins.shape[1]) / 2
    centred = bond - bond.mean()
    variance = (centred**2).sum()
    slopes = (centred[:, None] * shares).sum(axis=0) / (variance if variance else 1.0)
    freed = shares - (bond - exact)[:, None] * slopes
    return Block(freed.mean(axis=0), freed)


def product_of_blocks(block: Block, beta: float, L: int) -> Divergence:
    """The least KL(Ising || q) of all q that are products over disjoint blocks."""
    log_probability = np.array(
        [math.log(p / g) if p > 0 else 0.0 for p, g in zip(block.shares.tolist(), STATES.tolist())]
    )
    return _divergence(block, log_probability, beta, L)


def one_unit_per_block(block: Block, scale: float, beta: float, L: int) -> Divergence:
    """KL(Ising || machine with one unit per block, four weights of W₀ = ``scale`` each)."""
    return _divergence(block, _log_weights(scale) - math.log(_partition(scale)), beta, L)


def independent_spins(beta: float, L: int) -> Divergence:
    """KL(Ising || all states equally likely), N ln 2 - S: a machine without weights."""
    return Divergence(L**2 * math.log(2.0) - entropy(beta, L), 0.0)


def best_scale(block: Block) -> float:
    """W₀ of least KL: where ⟨S tanh W₀S⟩ of the machine equals that of the block."""
    sums = SUMS.tolist()

    def slope(scale: float) -> float:
        weights = STATES * np.exp(_log_weights(scale) - _log_weights(scale).max())
        rising = np.array([s * math.tanh(scale * s) for s in sums])
        return float((rising * (weights / weights.sum() - block.shares)).sum())

    from scipy.optimize import brentq  # a tenth of a second, which only this function needs to pay

    # at W₀ = 0 both sides are 0: begin where the machine's is smaller
    low = 1e-3
    return float(brentq(slope, low, _LARGEST_SCALE, xtol=1e-12)) if slope(low) < 0 else 0.0


def _divergence(block: Block, log_probability: Array, beta: float, L: int) -> Divergence:
    """-(N/4) Σ_c p_c ln q_c - S, with the spread of Σ_c p_c ln q_c over lattices."""
    blocks = L**2 / 4
    nats = -blocks * float((block.shares * log_probability).sum()) - entropy(beta, L)
    if block.per_lattice is None:
        return Divergence(nats, 0.0)
    values = (block.per_lattice * log_probability).sum(axis=1)
    return Divergence(nats, blocks * float(values.std(ddof=1)) / len(values) ** 0.5)


def _log_weights(scale: float) -> Array:
    return log_2cosh(scale * SUMS)


def _partition(scale: float) -> float:
    return float((STATES * np.exp(_log_weights(scale))).sum())


def _product(a: Array, b: Array) -> Array:
    """Matrix product with the sums in one order, which BLAS has not."""
    product = np.zeros((len(a), b.shape[1]))
    for k in range(a.shape[1]):
        product += a[:, k, None] * b[k]
    return product
