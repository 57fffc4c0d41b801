"""The exact machine on a ring against enumeration, autograd, and what theory identifies."""

import itertools
import math

import numpy as np
import pytest
import torch

from coarsegrain.ising.ring import all_states, state_probabilities
from coarsegrain.rbm.ring_machine import (
    ExactSettings,
    _fit,
    bond_mask,
    bond_weights,
    coupling_of_weights,
    kullback_leibler,
    symmetric_weight,
    train_exactly,
)

N = 8
STATES = all_states(N)
SETTINGS = ExactSettings(steps=1_000, learning_rate=0.05)


def with_bonds(pairs):
    weights = np.zeros((N, N))
    for j, (first, second) in enumerate(pairs):
        weights[j, j], weights[(j + 1) % N, j] = first, second
    return weights


def test_bond_mask_has_the_two_spins_of_every_bond():
    mask = bond_mask(N)
    for i, j in itertools.product(range(N), repeat=2):
        assert mask[i, j] == (i in (j, (j + 1) % N))


def test_a_hidden_unit_leaves_nothing_but_a_coupling():
    first, second = 0.7, 1.3
    K = coupling_of_weights(first, second)
    summed = [
        math.log(sum(math.exp(h * (first * v + second * w)) for h in (-1, 1))) - K * v * w
        for v, w in itertools.product((-1, 1), repeat=2)
    ]
    assert np.ptp(summed) < 1e-14


@pytest.mark.parametrize("K", [0.1, 0.5, 1.2])
def test_symmetric_weight_has_tanh_k_as_its_square(K):
    W = symmetric_weight(K)
    assert coupling_of_weights(W, W) == pytest.approx(K, rel=1e-12)
    assert math.cosh(2 * W) == pytest.approx(math.exp(2 * K), rel=1e-12)


def test_kl_is_zero_along_the_valley_and_only_there():
    K = 0.6
    p = state_probabilities(K, N)
    rng = np.random.default_rng(1)
    first = rng.uniform(0.8, 2, N) * rng.choice([-1, 1], N)
    second = np.arctanh(math.tanh(K) / np.tanh(first))
    valley = with_bonds(zip(first, second))
    assert abs(kullback_leibler(valley, STATES, p)) < 1e-14
    assert kullback_leibler(1.01 * valley, STATES, p) > 1e-5


def test_kl_is_that_of_plain_sums_over_visible_and_hidden_states():
    states, W = all_states(3), np.random.default_rng(2).normal(size=(3, 2))
    p = state_probabilities(0.4, 3)
    weights = [
        sum(math.exp(float(v @ W @ h)) for h in itertools.product((-1, 1), repeat=2))
        for v in states
    ]
    q = np.array(weights) / math.fsum(weights)
    assert kullback_leibler(W, states, p) == pytest.approx(math.fsum(p * np.log(p / q)), abs=1e-14)


def test_gradient_is_autograds():
    p, W = state_probabilities(0.5, N), np.random.default_rng(3).normal(size=(N, 5))
    kl, gradient = _fit(W, STATES, p)
    tensor = torch.tensor(W, requires_grad=True)
    log_q = torch.log(2 * torch.cosh(torch.tensor(STATES, dtype=torch.float64) @ tensor)).sum(1)
    target = torch.tensor(p)
    expected = (target * (target.log() - log_q + torch.logsumexp(log_q, 0))).sum()
    expected.backward()
    assert kl == pytest.approx(expected.item(), abs=1e-13)
    np.testing.assert_allclose(gradient, tensor.grad, rtol=0, atol=1e-14)


@pytest.mark.parametrize("seed", [0, 1])
def test_machine_with_the_bond_mask_becomes_the_ring_and_only_products_are_identified(seed):
    K = 0.6
    p = state_probabilities(K, N)
    weights = train_exactly(STATES, p, bond_mask(N), SETTINGS, rng=np.random.default_rng(seed))
    assert not weights[~bond_mask(N)].any()
    assert abs(kullback_leibler(weights, STATES, p)) < 1e-9
    pairs = bond_weights(weights)
    products = [coupling_of_weights(*pair) for pair in pairs]
    np.testing.assert_allclose(products, K, rtol=0, atol=1e-4)
    assert np.abs(pairs[:, 0] - pairs[:, 1]).max() > 0.05


@pytest.mark.parametrize("K", [0.3, 0.8])
def test_vanishing_l2_finds_the_symmetric_weights(K):
    p = state_probabilities(K, N)
    settings = ExactSettings(steps=2_000, learning_rate=0.05, l2=1e-3)
    weights = train_exactly(STATES, p, bond_mask(N), settings, rng=np.random.default_rng(1))
    assert kullback_leibler(weights, STATES, p) < 1e-6
    np.testing.assert_allclose(bond_weights(weights), symmetric_weight(K), rtol=0, atol=0.01)


def test_symmetric_weights_are_the_least_of_the_valley():
    K = 0.6
    first = np.linspace(0.75, 3, 200)
    second = np.arctanh(math.tanh(K) / np.tanh(first))
    least = (first**2 + second**2).min()
    assert least == pytest.approx(2 * symmetric_weight(K) ** 2, rel=1e-3)
    assert (first**2 + second**2 >= 2 * symmetric_weight(K) ** 2 - 1e-12).all()


@pytest.mark.slow
def test_free_machine_becomes_the_ring_too():
    p = state_probabilities(0.6, N)
    settings = ExactSettings(steps=20_000, learning_rate=0.1)
    mask = np.ones((N, N), dtype=bool)
    weights = train_exactly(STATES, p, mask, settings, rng=np.random.default_rng(0))
    assert 0 <= kullback_leibler(weights, STATES, p) + 1e-12 < 1e-6
