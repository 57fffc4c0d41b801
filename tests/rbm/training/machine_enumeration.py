"""Small machines in full: all states of the visible units."""

import numpy as np

from coarsegrain.rbm.machine import FreeMachine


def states(units):
    """(2^units, units) int8, ±1."""
    bits = np.arange(2**units)[:, None] >> np.arange(units)[::-1]
    return (2 * (bits & 1) - 1).astype(np.int8)


def _log_2cosh(x):
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))


def distribution(machine):
    """p(v) of all states."""
    dense = machine.dense()
    weights = _log_2cosh(states(dense.n_visible) @ dense.weights.astype(np.float64)).sum(axis=1)
    p = np.exp(weights - weights.max())
    return p / p.sum()


def exact_gradient(machine, p_data):
    """Of -⟨ln p⟩ of the data for the weights of a free machine: Σ_v (p - p_data) v_i tanh x_j."""
    v = states(machine.n_visible)
    excess = distribution(machine) - p_data
    return (excess[:, None] * v).T @ np.tanh(v @ machine.weights.astype(np.float64))


def kernel_gradient(machine, p_data):
    """The same for a tied machine's kernels: every weight's derivative, added up by kernel."""
    dense = exact_gradient(machine.dense(), p_data)
    gradient = np.zeros(machine.kernels.shape)
    for at in np.ndindex(gradient.shape):
        one = np.zeros_like(machine.kernels)
        one[at] = 1
        gradient[at] = (type(machine)(one, machine.L, machine.stride).dense().weights * dense).sum()
    return gradient


def kullback_leibler(p, machine):
    """KL of a distribution of the visible states to a machine's, in nats."""
    q = distribution(machine)
    there = p > 0
    return float((p[there] * np.log(p[there] / q[there])).sum())


def ising(beta, L):
    """p of all states of L x L spins with periodic boundaries."""
    v = states(L * L).reshape(-1, L, L)
    energy = -(v * (np.roll(v, 1, axis=1) + np.roll(v, 1, axis=2))).sum(axis=(1, 2))
    p = np.exp(-beta * (energy - energy.min()))
    return p / p.sum()


def free(n_visible, n_hidden, *, scale=0.5, seed=1):
    """A free machine with random weights."""
    weights = np.random.default_rng(seed).normal(0, scale, (n_visible, n_hidden))
    return FreeMachine(weights.astype(np.float32))
