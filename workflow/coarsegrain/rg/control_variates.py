"""Control variates: numbers of a lattice whose mean is known exactly take noise out of estimates.

An estimate that lattice i moves by ψ_i/n (its influence) has the error of the part of ψ that the
controls c do not explain, once the fit of ψ by c is subtracted at the sample's mean of c:

    y − b·mean(c),   b = ⟨c c⟩⁻¹⟨c ψ⟩

Two kinds. Energy: Kaufman's mean and variance of −H on the finite lattice. Local: Callen's identity
(Phys. Lett. 4, 161 (1963)) ⟨σ_i F⟩ = ⟨F tanh(K h_i)⟩ for any F of the other spins, h_i the sum of
the neighbours of σ_i; it holds at any coupling and size.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.rg.coupling_operators import Spins
from coarsegrain.rg.small_matrices import solution

FloatArray = npt.NDArray[np.float64]

#: Values of σ_i h_i, a spin times the sum of its four neighbours.
_ALIGNMENTS = (-4, -2, 0, 2, 4)


class Estimate(NamedTuple):
    """A value and its standard error."""

    value: float
    error: float


def energy_controls(
    nearest_neighbours: npt.NDArray[np.int64], mean: float, variance: float
) -> FloatArray:
    """x = S − ⟨S⟩ and x² − ⟨x²⟩, S the nearest neighbours' sum of a lattice, −H.

    Args:
        nearest_neighbours: (n,) S.
        mean: exact ⟨S⟩ at the lattices' β and L.
        variance: exact ⟨x²⟩.
    Returns:
        (n, 2), in units of the standard deviation and the variance.
    """
    x = (nearest_neighbours - mean) / variance**0.5
    return np.stack([x, x * x - 1], axis=1)


def local_controls(spins: Spins, beta: float) -> FloatArray:
    """Callen's identity with F = h_i and with F = h_i (S − σ_i h_i), summed over sites.

    X = Σ_i v_i (1 − tanh K v_i),   S X − Σ_i v_i² (1 − tanh K v_i),   v_i = σ_i h_i

    S is taken less a constant near its mean, so that the two differ: X has mean 0, and what a fit
    by both takes away stays the same.

    Args:
        spins: (n, L, L) int8, ±1.
        beta: K, at which they were sampled.
    Returns:
        (n, 2), per site and per bond.
    """
    counts = np.zeros((len(spins), len(_ALIGNMENTS)), dtype=np.int64)
    _count_alignments(np.ascontiguousarray(spins), counts)
    sites = spins.shape[1] * spins.shape[2]
    first, second = np.zeros(len(spins)), np.zeros(len(spins))
    bonds = np.zeros(len(spins), dtype=np.int64)
    for count, v in zip(counts.T, _ALIGNMENTS):
        below = 1 - math.tanh(beta * v)
        first = first + count * (v * below)
        second = second + count * (v * v * below)
        bonds += count * v
    bonds //= 2  # each bond was seen from both ends
    centre = int(bonds.sum()) // len(bonds)
    return np.stack([first / sites, ((bonds - centre) * first - second) / (2 * sites)], axis=1)


@kernel
def _count_alignments(spins: Spins, counts: npt.NDArray[np.int64]) -> None:
    n, rows, columns = spins.shape
    for i in range(n):
        for row in range(rows):
            above, below = (row - 1) % rows, (row + 1) % rows
            for column in range(columns):
                left = column - 1 if column > 0 else columns - 1
                right = column + 1 if column < columns - 1 else 0
                h = (
                    spins[i, above, column]
                    + spins[i, below, column]
                    + spins[i, row, left]
                    + spins[i, row, right]
                )
                counts[i, (spins[i, row, column] * h + 4) // 2] += 1


def controlled(value: float, influence: FloatArray, controls: FloatArray | None) -> Estimate:
    """An estimate less what the controls explain of its deviation, and the error that is left.

    Args:
        value: the estimate, a function of means over n independent lattices.
        influence: (n,) ψ, with mean 0.
        controls: (n, c) with exact mean 0, or None.
    """
    n, fitted = len(influence), 0
    if controls is not None:
        fitted = controls.shape[1]
        means = [mean_of(column) for column in controls.T]
        centred = [column - of_column for column, of_column in zip(controls.T, means)]
        gram = np.array([[mean_of(a * b) for b in centred] for a in centred])
        slopes = solution(gram, np.array([[mean_of(a * influence)] for a in centred]))[:, 0]
        if np.isfinite(slopes).all():  # else the controls do not vary
            value -= math.fsum(slope * of_column for slope, of_column in zip(slopes, means))
            for slope, column in zip(slopes, centred):
                influence = influence - slope * column
    variance = mean_of(influence * influence) * n / max(n - 1 - fitted, 1)
    return Estimate(value, (variance / n) ** 0.5)


def mean_of(values: npt.NDArray[np.floating]) -> float:
    """The mean, its sum rounded once: the same in any order of adding."""
    return math.fsum(values.tolist()) / len(values)
