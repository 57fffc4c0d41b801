"""Bennett's acceptance ratio, against normal distributions and enumeration."""

import math

import numpy as np
import pytest

from coarsegrain.ising.exact import log_partition_function as kaufman
from coarsegrain.rbm.bar import bennett_ratio, logistic
from coarsegrain.rbm.chains import gibbs_chains
from coarsegrain.rbm.enumeration import log_partition_function, states
from coarsegrain.rbm.machine import log_weight
from rbm.machines import random_machine


def normal_samples(spread, n_p, n_q, seed):
    """x = ln q*/p* with ln Z_q/Z_p = 0: normal under both, with means ∓s²/2."""
    rng = np.random.default_rng(seed)
    x_p = spread * rng.standard_normal(n_p) - spread**2 / 2
    x_q = spread * rng.standard_normal((n_q, 1)) + spread**2 / 2
    return x_p, x_q


@pytest.mark.parametrize(
    ("spread", "n_p", "n_q"), [(1, 500, 500), (2, 2000, 500), (2.5, 1000, 1600)]
)
def test_ratio_of_normal_distributions_lies_within_its_error(spread, n_p, n_q):
    found = [bennett_ratio(*normal_samples(spread, n_p, n_q, seed)) for seed in range(200)]
    assert all(each.believed for each in found)
    scores = np.array([each.value / each.std_error for each in found])
    assert abs(scores.mean()) < 4 / math.sqrt(200)
    assert abs((scores**2).mean() - 1) < 4 * math.sqrt(2 / 200)


def test_it_solves_bennetts_equation():
    x_p, x_q = normal_samples(1.5, 30, 20, seed=1)
    value, m = bennett_ratio(x_p, x_q).value, math.log(20 / 30)
    left = logistic(x_p - value + m).sum()
    assert left == pytest.approx(logistic(value - m - x_q).sum(), abs=1e-9)


def test_equal_distributions_have_no_error_and_full_overlap():
    found = bennett_ratio(np.full(50, 7.0), np.full((40, 2), 7.0))
    assert found.value == pytest.approx(7.0, abs=1e-9)
    assert found.std_error == pytest.approx(0, abs=1e-12)
    assert found.overlap == pytest.approx(1.0, abs=1e-9)


def test_distributions_apart_are_not_believed():
    assert not bennett_ratio(*normal_samples(9.0, 2000, 2000, seed=0)).believed


def test_ln_z_of_16_by_8_units_is_that_of_enumeration_within_its_error():
    """Against the 4 x 4 Ising model, with ln Z by Kaufman and samples by enumeration."""
    K = 0.15
    machine = random_machine(16, 8, seed=5, scale=0.2)  # 0.6 nats from it
    exact = log_partition_function(machine)
    every = states(16)
    spins = every.reshape(-1, 4, 4).astype(float)
    log_p = K * (spins * np.roll(spins, 1, 1) + spins * np.roll(spins, 1, 2)).sum(axis=(1, 2))
    p = np.exp(log_p - kaufman(K, 4))
    log_ratio = log_weight(machine, every) - log_p
    scores = []
    for seed in range(20):
        chosen = np.random.default_rng(seed).choice(len(p), size=1000, p=p / p.sum())
        chains = gibbs_chains(machine, every[chosen[:256]], [30, 40, 50], seed=seed)
        numbers = ((chains > 0) << np.arange(16)).sum(axis=-1)
        found = bennett_ratio(log_ratio[chosen], log_ratio[numbers])
        assert found.believed
        scores.append((kaufman(K, 4) + found.value - exact) / found.std_error)
    assert max(map(abs, scores)) < 4
    assert abs(np.mean(scores)) < 3 / math.sqrt(20)
    assert 0.5 < np.std(scores) < 1.6


def test_states_of_a_chain_count_as_far_as_they_are_independent():
    x_p, x_q = normal_samples(1.0, 5000, 4000, seed=2)
    assert bennett_ratio(x_p, np.repeat(x_q[:400], 10, axis=1)).n == 400
    assert 3400 < bennett_ratio(x_p, x_q.reshape(400, 10)).n <= 4000


@pytest.mark.parametrize(("shape_p", "shape_q"), [((1,), (2, 3)), ((5,), (1, 9)), ((5,), (9,))])
def test_too_few_samples_are_refused(shape_p, shape_q):
    with pytest.raises(ValueError, match="at least two of each"):
        bennett_ratio(np.zeros(shape_p), np.zeros(shape_q))
