"""Many Gibbs chains of a machine side by side, one per lane.

A step draws all hidden units given the visible ones, and these given the hidden ones, at weights
β W: β = 1 is the machine itself, 0 ≤ β < 1 are those between which importance sampling anneals.

Chains are processed ``LANES`` at a time: the innermost loops run over lanes and become vector
instructions, and the sums of every chain are made in one order, so every processor gives the same
bits. Only weights that are not zero are multiplied. Random numbers are Philox words: counter
(four units, kind of unit, step, number of the chain), key the seed: a chain needs nothing else.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel, word_function
from coarsegrain.philox import philox4x32
from coarsegrain.rbm.machine import Machine

Spins = npt.NDArray[np.int8]
Array = npt.NDArray[np.float64]

LANES = 32
#: Weights that are added up at once.
WIDTH = 8
#: Kinds of draw, the second counter word.
START, HIDDEN, VISIBLE = (np.uint64(kind) for kind in range(3))
_UNIFORM = 2.0**-32
# e^x is 0 to float64 beside 1 below.
_LOWEST = -40.0
# |x|/256 < 0.16: the next term of the series is below 2e-17.
_PARTS, _DOUBLINGS = 1.0 / 256, 8
_ONE = np.uint64(1)


class Side(NamedTuple):
    """One side of a machine: what each of its units sees.

    Attributes:
        inputs: (n, k) int64, units of the other side, those with a weight; WIDTH divides k.
        weight: (n, k) their weights; 0 where there are fewer.
        bias: (n,).
    """

    inputs: npt.NDArray[np.int64]
    weight: Array
    bias: Array


class Sides(NamedTuple):
    """A machine as its hidden and its visible units see it."""

    hidden: Side
    visible: Side


def sides(machine: Machine) -> Sides:
    """A machine in the form that the kernels take, in float64."""
    dense = machine.dense()
    weights = np.asarray(dense.weights, dtype=np.float64)
    return Sides(_side(weights.T, dense.hidden_bias), _side(weights, dense.visible_bias))


def _side(weights: Array, bias: npt.NDArray[np.floating] | None) -> Side:
    """From (n, units of the other side) weights."""
    there = weights != 0
    width = max(1, -(-int(there.sum(axis=1).max()) // WIDTH)) * WIDTH
    index = np.zeros((len(weights), width), dtype=np.int64)
    weight = np.zeros((len(weights), width))
    for unit, seen in enumerate(there):
        units = np.flatnonzero(seen)
        index[unit, : len(units)] = units
        weight[unit, : len(units)] = weights[unit, units]
    values = np.zeros(len(weights)) if bias is None else np.asarray(bias, dtype=np.float64)
    return Side(index, weight, np.ascontiguousarray(values))


@word_function
def small_exp(x: float) -> float:
    """e^x for x ≤ 0, and 0 below -40: (e^(x/256))^256, without branches, to about 3e-14."""
    t = max(x, _LOWEST) * _PARTS
    y = t * (1 / 10) + 1.0
    y = y * (t * (1 / 9)) + 1.0
    y = y * (t * (1 / 8)) + 1.0
    y = y * (t * (1 / 7)) + 1.0
    y = y * (t * (1 / 6)) + 1.0
    y = y * (t * (1 / 5)) + 1.0
    y = y * (t * (1 / 4)) + 1.0
    y = y * (t * (1 / 3)) + 1.0
    y = y * (t * (1 / 2)) + 1.0
    y = y * t + 1.0
    for _ in range(_DOUBLINGS):
        y = y * y
    return y if x >= _LOWEST else 0.0


@kernel
def fields_of(side, spins, fields):  # type: ignore[no-untyped-def]
    """Σ_k w_k s_k of all units of a side, without bias.

    Args:
        side: Side of n units.
        spins: (units of the other side, LANES) float64, ±1.
        fields: (n, LANES) where they go.
    """
    index, weight = side.inputs, side.weight
    for j in range(index.shape[0]):
        row = fields[j]
        lanes = len(row)  # a constant would be unrolled instead of becoming vectors
        for lane in range(lanes):
            row[lane] = 0.0
        for k in range(0, index.shape[1], WIDTH):
            s0, s1 = spins[index[j, k]], spins[index[j, k + 1]]
            s2, s3 = spins[index[j, k + 2]], spins[index[j, k + 3]]
            s4, s5 = spins[index[j, k + 4]], spins[index[j, k + 5]]
            s6, s7 = spins[index[j, k + 6]], spins[index[j, k + 7]]
            w0, w1, w2, w3 = weight[j, k], weight[j, k + 1], weight[j, k + 2], weight[j, k + 3]
            w4, w5, w6, w7 = weight[j, k + 4], weight[j, k + 5], weight[j, k + 6], weight[j, k + 7]
            for lane in range(lanes):
                row[lane] += ((w0 * s0[lane] + w1 * s1[lane]) + (w2 * s2[lane] + w3 * s3[lane])) + (
                    (w4 * s4[lane] + w5 * s5[lane]) + (w6 * s6[lane] + w7 * s7[lane])
                )


@kernel
def uniform_numbers(four, kind, step, chain, k0, k1, u):  # type: ignore[no-untyped-def]
    """Random numbers, uniform in (0, 1), for units 4·four … 4·four + 3 of all lanes.

    Args:
        four: first counter word.
        kind: second: START, HIDDEN or VISIBLE.
        step: third.
        chain: number of the chain in lane 0; the others' follow.
        k0: lower half of the key.
        k1: its upper half.
        u: (4, LANES) float64, where they go.
    """
    for lane in range(LANES):
        x0, x1, x2, x3 = philox4x32(np.uint64(four), kind, step, chain + np.uint64(lane), k0, k1)
        u[0, lane] = (np.float64(x0) + 0.5) * _UNIFORM
        u[1, lane] = (np.float64(x1) + 0.5) * _UNIFORM
        u[2, lane] = (np.float64(x2) + 0.5) * _UNIFORM
        u[3, lane] = (np.float64(x3) + 0.5) * _UNIFORM


@kernel
def draw(fields, bias, beta, kind, step, chain, k0, k1, u, spins):  # type: ignore[no-untyped-def]
    """Draw all units of a side in the fields f = bias + β·fields: p(sign of f) = 1/(1 + e^(-2|f|)).

    Args:
        fields: (n, LANES).
        bias: (n,).
        beta: factor of the weights.
        kind: as for ``uniform_numbers``, like the next four.
        step: as there.
        chain: as there.
        k0: as there.
        k1: as there.
        u: (4, LANES) space.
        spins: (n, LANES) float64, where ±1 go.
    """
    n = fields.shape[0]
    for four in range((n + 3) // 4):
        uniform_numbers(four, kind, step, chain, k0, k1, u)
        for unit in range(4 * four, min(4 * four + 4, n)):
            for lane in range(LANES):
                f = bias[unit] + beta * fields[unit, lane]
                e = small_exp(-2.0 * abs(f))
                likely = 1.0 if f >= 0.0 else -1.0
                spins[unit, lane] = (
                    likely if u[unit - 4 * four, lane] * (1.0 + e) < 1.0 else -likely
                )


@kernel
def _walk(hidden, visible, v, record, first_step, chain, k0, k1):  # type: ignore[no-untyped-def]
    """Gibbs steps of LANES chains.

    Args:
        hidden: Side.
        visible: Side.
        v: (n_visible, LANES) float64, changed in place.
        record: (times,) steps after which v is wanted, ascending.
        first_step: number of the first step.
        chain: of lane 0.
        k0: lower half of the key.
        k1: its upper half.
    Returns:
        (times, LANES, n_visible) int8.
    """
    n_visible, n_hidden = visible.inputs.shape[0], hidden.inputs.shape[0]
    x, y = np.empty((n_hidden, LANES)), np.empty((n_visible, LANES))
    h, u = np.empty((n_hidden, LANES)), np.empty((4, LANES))
    kept = np.empty((len(record), LANES, n_visible), np.int8)
    step = 0
    for time in range(len(record)):
        while step < record[time]:
            number = np.uint64(first_step + step)
            fields_of(hidden, v, x)
            draw(x, hidden.bias, 1.0, HIDDEN, number, chain, k0, k1, u, h)
            fields_of(visible, h, y)
            draw(y, visible.bias, 1.0, VISIBLE, number, chain, k0, k1, u, v)
            step += 1
        for lane in range(LANES):
            for i in range(n_visible):
                kept[time, lane, i] = np.int8(v[i, lane])
    return kept


def key(seed: int) -> tuple[np.uint64, np.uint64]:
    """The two words of a key. Raises ValueError if the seed is not 0 to 2⁶⁴ - 1."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}; it must be an integer from 0 to 2⁶⁴ − 1.")
    return np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)


def gibbs_chains(
    machine: Machine, start: Spins, record: Sequence[int], *, seed: int
) -> npt.NDArray[np.int8]:
    """Run a Gibbs chain from every state in ``start``, all independent.

    Args:
        machine: free or tied.
        start: (chains, n_visible) or (chains, L, L) int8, ±1.
        record: numbers of steps after which the states are wanted, ascending.
        seed: key of the random numbers.
    Returns:
        (chains, times, n_visible) int8.
    """
    flat = np.asarray(start).reshape(len(start), -1)
    if flat.shape[1] != machine.n_visible:
        raise ValueError(
            f"states of {flat.shape[1]} units cannot start a machine of {machine.n_visible}."
        )
    both, (k0, k1) = sides(machine), key(seed)
    times = np.asarray(record, dtype=np.int64)
    found = []
    for first in range(0, len(flat), LANES):
        which = np.minimum(np.arange(first, first + LANES), len(flat) - 1)
        v = np.ascontiguousarray(flat[which].T, dtype=np.float64)
        kept = _walk(both.hidden, both.visible, v, times, 0, np.uint64(first), k0, k1)
        found.append(kept.transpose(1, 0, 2))
    return np.concatenate(found)[: len(flat)]
