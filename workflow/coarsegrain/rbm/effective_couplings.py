"""Couplings of a machine's marginal: what its hidden units do to the spins, exactly.

ln p*(v) is a sum of products of spins, Σ_S J_S Π_{i∈S} v_i, where J_S is the mean of
Π_{i∈S} v_i ln p*(v) over all states; for two spins that is ¼ ⟨Δ_i Δ_j ln p*⟩ (cf. Decelle,
Furtlehner, Navas Gómez & Seoane, arXiv:2309.02292, who give the other spins' sum a normal law).
A hidden unit without bias adds

    J_S = ⟨Π_{i∈S} v_i ln cosh(Σ_k w_k v_k)⟩

With ln cosh written as a Fourier integral (its second derivative, sech², has the transform
πt/sinh(πt/2)), the mean over all states is a product, and for an even number |S| of spins

    J_S = (−1)^(|S|/2+1) ∫ dt/(2π) [π/(t sinh(πt/2))] Π_{i∈S} sin(w_i t) Π_{k∉S} cos(w_k t)

Nothing is approximated, for any number of inputs. Sums in steps of 2π/(Σ|w| + D) are off by
e^(−2D): the same mean with images of sech² at that distance. Machines with biases are refused.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.machine import Machine

Array = npt.NDArray[np.float64]

# e^(−2D) and e^(−π t/2) at the end of the integral are both far below 1e-16.
_DISTANCE, _END = 20.0, 26.0


class Operator(NamedTuple):
    """A product of spins, and all its images under translation (and rotation by 90°).

    Attributes:
        name: nn, nnn, third, plaquette.
        terms: sets of (row, column) of the spins of each kind of term; one per site and kind.
    """

    name: str
    terms: tuple[tuple[tuple[int, int], ...], ...]


#: Even operators of the square lattice, by distance.
OPERATORS = (
    Operator("nn", (((0, 0), (0, 1)), ((0, 0), (1, 0)))),
    Operator("nnn", (((0, 0), (1, 1)), ((0, 1), (1, 0)))),
    Operator("third", (((0, 0), (0, 2)), ((0, 0), (2, 0)))),
    Operator("plaquette", (((0, 0), (0, 1), (1, 0), (1, 1)),)),
)


class Coupling(NamedTuple):
    """The coupling of an operator: the mean over its terms.

    Attributes:
        operator: its name.
        value: mean over all sites and directions.
        spread: standard deviation over them: 0 if the machine is translation-invariant.
    """

    operator: str
    value: float
    spread: float


def exact_couplings(machine: Machine, L: int) -> list[Coupling]:
    """Couplings of ln p*(v), exact to about 1e-12.

    Args:
        machine: without biases, visible units on an L x L lattice with periodic boundaries.
        L: its side, at least 4.
    Raises:
        ValueError: the machine has biases, or another number of visible units.
    """
    weights = _weights_without_bias(machine)
    if len(weights) != L * L or L < 4:
        raise ValueError(f"{len(weights)} visible units do not lie on a lattice of side {L} ≥ 4.")
    sets = [terms(operator, L) for operator in OPERATORS]
    totals = [np.zeros(len(each)) for each in sets]
    for unit in weights.T:
        spins = np.flatnonzero(unit)
        place = np.full(len(unit), -1)
        place[spins] = np.arange(len(spins))
        for total, each in zip(totals, sets):
            inside = (place[each] >= 0).all(axis=1)  # no other term gets a coupling
            total[inside] += unit_couplings(unit[spins], place[each[inside]])
    # Sites two apart are the same pair in both directions at L = 4: each of its terms has half.
    shares = [total / _times(each) for total, each in zip(totals, sets)]
    return [
        Coupling(operator.name, float(share.mean()), float(share.std()))
        for operator, share in zip(OPERATORS, shares)
    ]


def _times(sets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often each of the sets (n, |S|) is there, in any order."""
    _, which, times = np.unique(
        np.sort(sets, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return np.asarray(times[which.reshape(-1)])


def terms(operator: Operator, L: int) -> npt.NDArray[np.int64]:
    """The terms of an operator: (kinds · L², spins) numbers of sites, row-major."""
    row, col = (each.reshape(-1, 1) for each in np.indices((L, L)))
    kinds = []
    for term in operator.terms:
        down, right = np.array(term).T
        kinds.append((row + down) % L * L + (col + right) % L)
    return np.concatenate(kinds)


def unit_couplings(weights: Array, sets: npt.NDArray[np.int64]) -> Array:
    """What one hidden unit without bias adds to the couplings J_S.

    Args:
        weights: (k,) of the unit, none of them 0.
        sets: (n, |S|) numbers of inputs, |S| even.
    Returns:
        (n,).
    """
    size = sets.shape[1]
    if not len(sets):
        return np.zeros(0)
    step = 2 * np.pi / (float(np.abs(weights).sum()) + _DISTANCE)
    # Midpoints: t = 0 is not among them, and both rules are equally exact.
    t = step * (np.arange(int(np.ceil(_END / step))) + 0.5)
    angles = np.outer(weights, t)
    factor = step * np.prod(np.cos(angles), axis=0) / (t * np.sinh(np.pi * t / 2))
    tangents = np.tan(angles)  # cos times tan is sin, also where cos is small
    values = np.zeros(len(sets))
    for start in range(0, len(sets), 512):
        part = sets[start : start + 512]
        values[start : start + 512] = np.prod(tangents[part], axis=1) @ factor
    return np.asarray((-1) ** (size // 2 + 1) * values)


def _weights_without_bias(machine: Machine) -> Array:
    dense = machine.dense()
    for bias in (dense.visible_bias, dense.hidden_bias):
        if bias is not None and np.any(bias):
            raise ValueError(
                "the machine has biases; couplings are computed for machines without, whose "
                "marginal is even."
            )
    return np.asarray(dense.weights, dtype=np.float64)
