"""Small machines exactly, by a sum over all states of the smaller side.

    Z = Σ_v e^(a·v) Π_j 2cosh(b_j + Σ_i v_i W_ij) = Σ_h e^(b·h) Π_i 2cosh(a_i + Σ_j W_ij h_j)

The oracle of everything that estimates: it has no error but rounding.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.machine import FreeMachine, Machine, log_weight

Array = npt.NDArray[np.float64]

#: Most units of the smaller side.
MOST_UNITS = 20
_STATES_AT_ONCE = 2**12


class Moments(NamedTuple):
    """⟨v_i⟩, ⟨h_j⟩ and ⟨v_i h_j⟩ of a machine: (n_visible,), (n_hidden,), (n_visible, n_hidden)."""

    visible: Array
    hidden: Array
    products: Array


def states(units: int, first: int = 0, number: int | None = None) -> npt.NDArray[np.int8]:
    """States of ±1 units in binary order: unit i of state s is +1 where bit i of s is set.

    Args:
        units: how many.
        first: number of the first state.
        number: how many states; default all from the first on.
    Returns:
        (number, units) int8.
    """
    last = 2**units if number is None else first + number
    bits = (np.arange(first, last)[:, None] >> np.arange(units)) & 1
    return np.asarray(2 * bits - 1, dtype=np.int8)


def log_partition_function(machine: Machine) -> float:
    """ln Z in nats.

    Raises:
        ValueError: both sides have more than 20 units.
    """
    logs = _log_weights(_with_the_smaller_side_visible(machine))
    top = float(logs.max())
    return top + float(np.log(np.exp(logs - top).sum()))


def visible_distribution(machine: Machine) -> Array:
    """p(v) of all states of the visible units, in binary order (``states``).

    Returns:
        (2^n_visible,), with sum 1.
    Raises:
        ValueError: there are more than 20 visible units.
    """
    _check(machine.n_visible, "visible units")
    logs = _log_weights(machine.dense())
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def kl_divergence(p: Array, machine: Machine) -> float:
    """KL(p‖q) = Σ_v p(v) ln [p(v)/q(v)] in nats, q the machine's distribution.

    Args:
        p: (2^n_visible,) probabilities in binary order.
        machine: of at most 20 visible units.
    """
    q = visible_distribution(machine)
    if p.shape != q.shape:
        raise ValueError(f"p has shape {p.shape}; the machine has {len(q)} visible states.")
    there = p > 0
    return float((p[there] * np.log(p[there] / q[there])).sum())


def moments(machine: Machine) -> Moments:
    """Means and products of units that the likelihood's gradient is made of.

    Raises:
        ValueError: both sides have more than 20 units.
    """
    dense = machine.dense()
    small = _with_the_smaller_side_visible(dense)
    logs = _log_weights(small)
    p = np.exp(logs - logs.max())
    p /= p.sum()
    side, other = np.zeros(small.n_visible), np.zeros(small.n_hidden)
    products = np.zeros((small.n_visible, small.n_hidden))
    weights, bias = _weights_and_hidden_bias(small)
    for start in range(0, len(p), _STATES_AT_ONCE):
        part = states(small.n_visible, start, min(_STATES_AT_ONCE, len(p) - start)).astype(float)
        probability = p[start : start + len(part), None]
        means = np.tanh(bias + part @ weights)
        side += (probability * part).sum(axis=0)
        other += (probability * means).sum(axis=0)
        products += (probability * part).T @ means
    if small.n_visible == dense.n_visible and small is dense:
        return Moments(side, other, products)
    return Moments(other, side, products.T)


def _with_the_smaller_side_visible(machine: Machine) -> FreeMachine:
    dense = machine.dense()
    _check(min(dense.n_visible, dense.n_hidden), "units on each side")
    if dense.n_visible <= dense.n_hidden:
        return dense
    return FreeMachine(np.ascontiguousarray(dense.weights.T), dense.hidden_bias, dense.visible_bias)


def _weights_and_hidden_bias(machine: FreeMachine) -> tuple[Array, Array]:
    bias = np.zeros(machine.n_hidden) if machine.hidden_bias is None else machine.hidden_bias
    return np.asarray(machine.weights, dtype=np.float64), np.asarray(bias, dtype=np.float64)


def _log_weights(machine: FreeMachine) -> Array:
    """ln p*(v) of all visible states: (2^n_visible,)."""
    n = 2**machine.n_visible
    parts = [
        log_weight(machine, states(machine.n_visible, start, min(_STATES_AT_ONCE, n - start)))
        for start in range(0, n, _STATES_AT_ONCE)
    ]
    return np.concatenate(parts)


def _check(units: int, of_what: str) -> None:
    if units > MOST_UNITS:
        raise ValueError(
            f"the machine has {units} {of_what}; a sum over all states is made for at most "
            f"{MOST_UNITS}."
        )
