"""The exact energy distribution against enumeration, counting, and Kaufman's derivatives."""

import math

import numpy as np
import pytest

from coarsegrain.ising.density_of_states import (
    energy_distribution,
    energy_levels,
    log_density_of_states,
)
from coarsegrain.ising.exact import (
    energy_per_site,
    heat_capacity_per_site,
    log_partition_function,
)

STATES_4X4 = [2, 0, 32, 64, 424, 1728, 6688, 13568, 20524]  # and back again


def test_distribution_of_4x4_lattices_is_that_of_all_65536_states():
    bits = (1 - 2 * ((np.arange(2**16)[:, None] >> np.arange(16)) & 1)).reshape(-1, 4, 4)
    pairs = (bits * np.roll(bits, 1, 1) + bits * np.roll(bits, 1, 2)).sum(axis=(1, 2))
    states = np.bincount((pairs + 32) // 4, minlength=17)
    np.testing.assert_array_equal(states, STATES_4X4 + STATES_4X4[-2::-1])
    for beta in (0.001, 0.01, 0.2, 0.4352, 0.6, 1.0):
        weight = states * np.exp(beta * energy_levels(4))
        np.testing.assert_allclose(
            energy_distribution(beta, 4), weight / weight.sum(), rtol=0, atol=1e-14
        )


@pytest.mark.parametrize("L", [4, 8, 16, 32])
def test_lowest_states_are_those_one_can_count(L):
    N = L**2
    states = np.exp(log_density_of_states(L, 0.01, 0.6))[::-1]
    # all equal; one spin turned; two neighbours; two spins apart, three or four (2x2) together
    counted = {0: 2, 1: 0, 2: 2 * N, 3: 4 * N, 4: N * (N - 5) + 2 * 6 * N + 2 * N}
    if L > 4:  # there, lines around the torus count, too
        for level, number in counted.items():
            assert states[level] == pytest.approx(number, rel=1e-5), level
    else:
        np.testing.assert_allclose(states[:9], STATES_4X4, rtol=1e-6)


@pytest.mark.parametrize("L", [8, 16, 32, 64])
@pytest.mark.parametrize("beta", [0.01, 0.2, 0.4352, 0.440686793509772, 0.6])
def test_moments_of_the_distribution_are_kaufmans_derivatives(L, beta):
    probability, x = energy_distribution(beta, L), energy_levels(L) / L**2
    assert probability.sum() == pytest.approx(1, abs=1e-10)
    assert probability.min() > -1e-12
    mean = probability @ x
    assert mean == pytest.approx(-energy_per_site(beta, L), abs=1e-10)
    capacity = beta**2 * L**2 * (probability @ (x - mean) ** 2)
    assert capacity == pytest.approx(heat_capacity_per_site(beta, L), abs=1e-7)


@pytest.mark.parametrize("L", [8, 32])
def test_one_density_of_states_gives_z_at_every_beta_of_its_range(L):
    log_states, levels = log_density_of_states(L, 0.05, 0.55), energy_levels(L)
    for beta in np.linspace(0.05, 0.55, 37):
        log_z = np.logaddexp.reduce(log_states + beta * levels)
        assert log_z == pytest.approx(log_partition_function(beta, L), abs=1e-6)


def test_narrow_range_agrees_with_a_wide_one():
    wide, narrow = log_density_of_states(16, 0.0, 0.6), log_density_of_states(16, 0.4, 0.4)
    known = np.isfinite(narrow)
    assert 40 < known.sum() < np.isfinite(wide).sum()
    np.testing.assert_allclose(narrow[known], wide[known], rtol=0, atol=1e-5)


def test_large_lattices_need_no_more_values_than_can_be_seen():
    L, beta = 128, 0.4352
    probability, x = energy_distribution(beta, L), energy_levels(L) / L**2
    assert probability @ x == pytest.approx(-energy_per_site(beta, L), abs=1e-9)
    assert math.isclose(probability.sum(), 1, abs_tol=1e-9)
