"""Machines whose distribution is known."""

import math

import numpy as np

from coarsegrain.rbm.machine import FreeMachine


def random_machine(n_visible, n_hidden, *, seed, scale=0.3, biases=True):
    """A machine with normal weights, and biases half as large."""
    rng = np.random.default_rng(seed)
    weights = scale * rng.standard_normal((n_visible, n_hidden))
    if not biases:
        return FreeMachine(weights)
    return FreeMachine(
        weights,
        visible_bias=0.5 * scale * rng.standard_normal(n_visible),
        hidden_bias=0.5 * scale * rng.standard_normal(n_hidden),
    )


def ising_machine(K, L):
    """The machine that is the Ising model: one hidden unit per bond, two weights ½ arccosh e^2K.

    2cosh(w(s + t)) = 2 (cosh 2w)^((1 + st)/2) = 2 e^K e^(K s t).
    """
    weight = 0.5 * math.acosh(math.exp(2 * K))
    weights = np.zeros((L, L, L, L, 2))
    row, col = np.indices((L, L))
    for direction, (down, right) in enumerate(((0, 1), (1, 0))):
        weights[row, col, row, col, direction] = weight
        weights[(row + down) % L, (col + right) % L, row, col, direction] = weight
    return FreeMachine(weights.reshape(L * L, 2 * L * L))


def log_z_of_ising_machine(K, L, log_z):
    """ln Z of that machine from the Ising model's: N bonds of each direction give 2 e^K each."""
    return log_z + 2 * L * L * (math.log(2) + K)
