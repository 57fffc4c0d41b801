"""Sums over all states of one side, against sums over all states of both, and Kaufman."""

import itertools
import math

import numpy as np
import pytest

from coarsegrain.ising.exact import log_partition_function as kaufman
from coarsegrain.rbm.enumeration import (
    kl_divergence,
    log_partition_function,
    moments,
    states,
    visible_distribution,
)
from coarsegrain.rbm.machine import FreeMachine, TiedMachine
from rbm.machines import ising_machine, log_z_of_ising_machine, random_machine


def boltzmann_weights(machine):
    """{(v, h): e^-E} over all states, in plain Python."""
    n, m = machine.n_visible, machine.n_hidden
    a = [0.0] * n if machine.visible_bias is None else machine.visible_bias
    b = [0.0] * m if machine.hidden_bias is None else machine.hidden_bias
    return {
        (v, h): math.exp(
            sum(a[i] * v[i] for i in range(n))
            + sum(b[j] * h[j] for j in range(m))
            + sum(v[i] * machine.weights[i, j] * h[j] for i in range(n) for j in range(m))
        )
        for v in itertools.product((-1, 1), repeat=n)
        for h in itertools.product((-1, 1), repeat=m)
    }


@pytest.fixture(params=[(4, 3, True), (3, 5, True), (4, 4, False)])
def machine(request):
    n_visible, n_hidden, biases = request.param
    return random_machine(n_visible, n_hidden, seed=7, scale=0.8, biases=biases)


def test_partition_function_is_the_sum_over_all_states_of_both_sides(machine):
    z = sum(boltzmann_weights(machine).values())
    assert log_partition_function(machine) == pytest.approx(math.log(z), abs=1e-12)


def test_visible_distribution_is_the_sum_over_hidden_states(machine):
    weights = boltzmann_weights(machine)
    z = sum(weights.values())
    p = visible_distribution(machine)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    for state, probability in zip(states(machine.n_visible), p):
        expected = sum(w for (v, _), w in weights.items() if v == tuple(state)) / z
        assert probability == pytest.approx(expected, abs=1e-12)


def test_moments_are_means_over_all_states_of_both_sides(machine):
    weights = boltzmann_weights(machine)
    z = sum(weights.values())
    found = moments(machine)
    v, h = (np.array([state[side] for state in weights]) for side in (0, 1))
    p = np.array(list(weights.values())) / z
    np.testing.assert_allclose(found.visible, p @ v, atol=1e-12)
    np.testing.assert_allclose(found.hidden, p @ h, atol=1e-12)
    np.testing.assert_allclose(found.products, (p[:, None] * v).T @ h, atol=1e-12)


def test_ising_machine_has_kaufmans_partition_function():
    machine = ising_machine(0.4, 4)
    expected = log_z_of_ising_machine(0.4, 4, kaufman(0.4, 4))
    assert log_partition_function(machine) == pytest.approx(expected, abs=1e-10)


def test_divergence_of_the_ising_machine_from_the_ising_model_is_zero():
    K = 0.4407
    spins = states(16).reshape(-1, 4, 4).astype(float)
    pairs = (spins * np.roll(spins, 1, 1) + spins * np.roll(spins, 1, 2)).sum(axis=(1, 2))
    p = np.exp(K * pairs - kaufman(K, 4))
    assert p.sum() == pytest.approx(1, abs=1e-10)
    assert kl_divergence(p, ising_machine(K, 4)) == pytest.approx(0, abs=1e-10)


def test_divergence_from_independent_spins_is_what_their_entropy_lacks():
    p = np.array([0.5, 0.0, 0.25, 0.25])
    entropy = 1.5 * math.log(2)
    nothing = FreeMachine(np.zeros((2, 3)))
    assert kl_divergence(p, nothing) == pytest.approx(2 * math.log(2) - entropy, abs=1e-14)


def test_tied_machines_are_summed_with_their_weights_written_out():
    kernels = np.random.default_rng(0).standard_normal((1, 4, 4)) / 4
    machine = TiedMachine(kernels, 8)
    spins = states(16)
    fields = spins.astype(float) @ machine.dense().weights.T.astype(float)
    expected = np.logaddexp.reduce(np.logaddexp(fields, -fields).sum(axis=1))
    assert log_partition_function(machine) == pytest.approx(expected, abs=1e-10)


def test_larger_machines_are_refused():
    with pytest.raises(ValueError, match="22 units on each side"):
        log_partition_function(FreeMachine(np.zeros((22, 23))))
    with pytest.raises(ValueError, match="22 visible units"):
        visible_distribution(FreeMachine(np.zeros((22, 3))))
