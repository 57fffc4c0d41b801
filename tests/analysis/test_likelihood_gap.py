"""KL of machines whose divergence from the Ising model is known."""

import math

import numpy as np
import pytest

from coarsegrain.analysis.likelihood_gap import (
    Effort,
    likelihood_gaps,
    log_ising_weight,
)
from coarsegrain.ising.exact import energy_per_site, entropy, log_partition_function
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rbm.enumeration import kl_divergence, states
from coarsegrain.rbm.machine import FreeMachine
from rbm.machines import ising_machine, random_machine

K = 0.4406867935
EFFORT = Effort(ais_chains=128, ais_steps=1000, bar_chains=512, bar_burn_in=60, bar_states=3)


def kl_of_couplings(K, other, L):
    """KL between the Ising models with these couplings."""
    pairs = -(L**2) * energy_per_site(K, L)
    z, z_of_other = (log_partition_function(each, L) for each in (K, other))
    return z_of_other - z - (other - K) * pairs


def by_method(machine, lattices, beta, effort=EFFORT):
    return {
        gap.method: gap for gap in likelihood_gaps(machine, lattices, beta, effort=effort, seed=3)
    }


def test_entropy_is_that_of_all_states():
    spins = states(16).reshape(-1, 4, 4)
    p = np.exp(log_ising_weight(spins, 0.3) - log_partition_function(0.3, 4))
    assert entropy(0.3, 4) == pytest.approx(-(p * np.log(p)).sum(), abs=1e-10)


def test_machine_that_is_the_ising_model_is_at_distance_zero():
    gaps = by_method(ising_machine(K, 8), sample_lattices(np.full(1000, K), 8, seed=1), K)
    for method in ("data", "bar"):
        assert gaps[method].believed
        assert abs(gaps[method].kl) < 1e-8
        assert gaps[method].kl_error < 1e-8
    assert abs(gaps["ais"].kl) < 3 * gaps["ais"].kl_error + 0.1


@pytest.mark.parametrize("other", [0.42, 0.4])
def test_machines_of_other_couplings_are_at_kaufmans_distance(other):
    exact = kl_of_couplings(K, other, 8)
    lattices = sample_lattices(np.full(4000, K), 8, seed=2)
    gaps = by_method(ising_machine(other, 8), lattices, K)
    for method in ("data", "bar", "ais"):
        gap = gaps[method]
        assert gap.believed
        assert abs(gap.kl - exact) < 3 * gap.kl_error
        assert gap.cross_entropy == pytest.approx(gap.kl + entropy(K, 8), abs=1e-9)
    assert gaps["bar"].kl_error < 0.02


def test_all_methods_find_the_distance_of_a_small_machine():
    beta = 0.2
    machine = random_machine(16, 8, seed=4, scale=0.15)
    spins = states(16).reshape(-1, 4, 4)
    p = np.exp(log_ising_weight(spins, beta) - log_partition_function(beta, 4))
    exact = kl_divergence(p, machine)
    chosen = np.random.default_rng(0).choice(len(p), size=4000, p=p / p.sum())
    gaps = by_method(machine, spins[chosen], beta)
    assert list(gaps) == ["exact", "ais", "data", "bar"]
    for gap in gaps.values():
        assert gap.believed
        assert abs(gap.kl - exact) < 3 * gap.kl_error
        assert 0 < gap.kl_error < 0.1
    assert gaps["exact"].log_z_error == 0


def test_estimates_of_a_machine_far_away_are_not_believed_from_data_but_by_annealing():
    """Independent spins: KL is what the entropy lacks, N ln 2 − S."""
    lattices = sample_lattices(np.full(1000, 0.6), 8, seed=5)
    gaps = by_method(FreeMachine(np.zeros((64, 4))), lattices, 0.6)
    exact = 64 * math.log(2) - entropy(0.6, 8)
    assert exact > 30
    assert not gaps["data"].believed
    assert not gaps["bar"].believed
    assert gaps["ais"].believed
    assert gaps["ais"].kl == pytest.approx(exact, abs=1e-9)


def test_errors_are_the_spread_over_sets_of_lattices():
    machine = ising_machine(0.41, 8)
    found = []
    for seed in range(24):
        lattices = sample_lattices(np.full(500, K), 8, seed=seed)
        effort = EFFORT._replace(ais_chains=32, ais_steps=50, bar_chains=128)
        gaps = likelihood_gaps(machine, lattices, K, effort=effort, seed=seed)
        found.append([(gap.kl, gap.kl_error) for gap in gaps if gap.method in ("data", "bar")])
    values, errors = np.moveaxis(np.array(found), 2, 0)
    # of 24 values the standard deviation is known to 15 %
    np.testing.assert_allclose(values.std(axis=0, ddof=1), errors.mean(axis=0), rtol=0.5)


def test_of_other_lattices_only_the_cross_entropy_is_measured():
    lattices = sample_lattices(np.full(500, K), 8, seed=6)
    (gap,) = likelihood_gaps(FreeMachine(np.zeros((64, 32))), lattices, None, effort=EFFORT, seed=0)
    assert gap.method == "ais"
    assert gap.cross_entropy == pytest.approx(64 * math.log(2), abs=1e-9)
    assert math.isnan(gap.kl)
