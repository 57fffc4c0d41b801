"""Annealed importance sampling and its chains, against sums over all states."""

import math

import numpy as np
import pytest
from scipy import stats

from coarsegrain.ising.exact import log_partition_function as kaufman
from coarsegrain.rbm.ais import annealed_importance_sampling
from coarsegrain.rbm.chains import Side, gibbs_chains, sides, small_exp
from coarsegrain.rbm.enumeration import log_partition_function, moments, visible_distribution
from coarsegrain.rbm.machine import FreeMachine, TiedMachine
from rbm.machines import ising_machine, log_z_of_ising_machine, random_machine


def numbers(spins):
    """The number of each state in binary order."""
    return ((spins > 0) << np.arange(spins.shape[-1])).sum(axis=-1)


@pytest.mark.parametrize("x", [0.0, -1e-9, -0.3, -1.0, -5.0, -20.0, -39.9])
def test_small_exp_is_exp(x):
    assert small_exp(x) == pytest.approx(math.exp(x), rel=3e-14)


def test_small_exp_vanishes_beside_one_where_it_is_set_to_zero():
    assert small_exp(-40.1) == 0.0
    assert 1.0 + math.exp(-40.1) == 1.0


def test_sides_hold_the_weights_of_a_machine():
    machine = TiedMachine(np.random.default_rng(0).standard_normal((2, 4, 4)), 8)
    weights = machine.dense().weights
    for side, expected in zip(sides(machine), (weights.T, weights)):
        assert isinstance(side, Side)
        written = np.zeros_like(expected)
        np.add.at(written, (np.arange(len(expected))[:, None], side.inputs), side.weight)
        np.testing.assert_array_equal(written, expected)
    assert sides(machine).hidden.inputs.shape == (32, 16)


@pytest.mark.parametrize("biases", [True, False])
def test_gibbs_chains_sample_the_exact_distribution(biases):
    machine = random_machine(6, 4, seed=3, scale=0.5, biases=biases)
    start = np.ones((4096, 6), dtype=np.int8)
    found = gibbs_chains(machine, start, [40], seed=11)[:, 0]
    counts = np.bincount(numbers(found), minlength=64)
    expected = 4096 * visible_distribution(machine)
    assert 1e-3 < stats.chisquare(counts, expected).pvalue < 1 - 1e-3


def test_a_chain_depends_on_its_number_only():
    machine = random_machine(10, 7, seed=1)
    start = np.where(np.random.default_rng(0).random((70, 10)) < 0.5, 1, -1).astype(np.int8)
    all_chains = gibbs_chains(machine, start, [0, 3, 9], seed=2)
    np.testing.assert_array_equal(all_chains[:, 0], start)
    np.testing.assert_array_equal(gibbs_chains(machine, start[:33], [3], seed=2)[:, 0],
                                  all_chains[:33, 1])  # fmt: skip
    assert (gibbs_chains(machine, start, [9], seed=3)[:, 0] != all_chains[:, 2]).any()


def test_chains_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="9 units cannot start a machine of 10"):
        gibbs_chains(random_machine(10, 7, seed=1), np.ones((2, 9), dtype=np.int8), [1], seed=0)
    with pytest.raises(ValueError, match="seed is -1"):
        gibbs_chains(random_machine(10, 7, seed=1), np.ones((2, 10), dtype=np.int8), [1], seed=-1)


@pytest.mark.parametrize("biases", [True, False])
def test_ln_z_of_16_by_8_units_is_that_of_enumeration_within_its_error(biases):
    machine = random_machine(16, 8, seed=5, scale=0.6, biases=biases)
    exact = log_partition_function(machine)
    found = [
        annealed_importance_sampling(machine, chains=64, steps=200, seed=seed).log_z
        for seed in range(20)
    ]
    scores = np.array([(each.value - exact) / each.std_error for each in found])
    assert abs(scores).max() < 4
    assert abs(scores.mean()) < 3 / math.sqrt(20)
    assert all(each.believed and each.std_error < 0.15 for each in found)


def test_ln_z_of_disjoint_blocks_is_a_sum_over_blocks():
    """16 x 16 spins in 2 x 2 blocks: 64 machines of four spins and one hidden unit each."""
    kernel = np.random.default_rng(2).normal(0.6, 0.1, size=(1, 2, 2))
    exact = 64 * log_partition_function(FreeMachine(kernel.reshape(4, 1)))
    found = annealed_importance_sampling(TiedMachine(kernel, 16), chains=64, steps=300, seed=6)
    assert found.log_z.believed
    assert found.log_z.std_error < 0.1
    assert abs(found.log_z.value - exact) < 3 * found.log_z.std_error


def test_weighted_ends_of_chains_are_samples_of_the_machine():
    machine = random_machine(12, 6, seed=9, scale=0.5)
    found = annealed_importance_sampling(machine, chains=4096, steps=60, seed=4)
    weights = np.exp(found.log_weights - found.log_z.value)
    weights /= weights.sum()
    means = weights @ found.visible
    errors = np.sqrt(((weights[:, None] * (found.visible - means)) ** 2).sum(axis=0))
    assert abs((means - moments(machine).visible) / errors).max() < 4


@pytest.mark.parametrize("scale", [0.0, 3.0])
def test_weights_of_any_size_are_taken(scale):
    """Independent units are exact; strong weights overflow nothing."""
    machine = FreeMachine(np.full((600, 600), scale))
    found = annealed_importance_sampling(machine, chains=2, steps=2, seed=0)
    assert np.isfinite(found.log_weights).all()
    if scale == 0:
        assert found.log_z.value == pytest.approx(1200 * math.log(2), abs=1e-9)
        assert found.log_z.std_error == 0


def test_a_poor_annealing_is_not_believed():
    machine = ising_machine(0.6, 6)
    exact = log_z_of_ising_machine(0.6, 6, kaufman(0.6, 6))
    poor = annealed_importance_sampling(machine, chains=64, steps=3, seed=1).log_z
    assert not poor.believed
    assert poor.value < exact - 3 * poor.std_error


@pytest.mark.slow
def test_machine_that_is_the_ising_model_has_its_ln_z():
    """L = 8 at the critical point."""
    K = 0.4406867935
    exact = log_z_of_ising_machine(K, 8, kaufman(K, 8))
    found = annealed_importance_sampling(ising_machine(K, 8), chains=128, steps=10_000, seed=2)
    assert found.log_z.std_error < 0.05
    assert abs(found.log_z.value - exact) < 3 * found.log_z.std_error
