"""Thermometer E against lattices whose β is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsegrain.analysis.exact_thermometer import beta_of_energy, exact_beta, exact_betas
from coarsegrain.ising.exact import energy_per_site, log_partition_function
from coarsegrain.ising.observables import energy_per_site as energies_per_site
from coarsegrain.ising.sampler import sample_lattices

BETAS = np.array([0.02, 0.1, 0.2, 0.3, 0.38, 0.42, 0.44, 0.46, 0.5, 0.55])


@pytest.fixture(scope="module")
def readings():
    """(16 sets, betas) of 100 lattices each."""
    spins = sample_lattices(np.tile(np.repeat(BETAS, 100), 16), 16, seed=3)
    sets = spins.reshape(16, len(BETAS), 100, 16, 16)
    return np.array([[exact_beta(each) for each in row] for row in sets])


def test_it_reads_the_beta_of_sampled_lattices_within_its_own_error(readings):
    scores = (readings[..., 0] - BETAS) / readings[..., 1]
    assert abs(scores).max() < 5
    # 160 independent scores: their mean square is 1 within four of its own standard errors
    assert abs((scores**2).mean() - 1) < 4 * (2 / scores.size) ** 0.5


def test_it_inverts_the_exact_energy():
    spins = sample_lattices(np.full(50, 0.3), 8, seed=1)
    reading = exact_beta(spins)
    measured = float(energies_per_site(spins).mean())
    assert energy_per_site(reading.beta, 8) == pytest.approx(measured, abs=1e-12)


def test_single_lattices_are_read_at_the_largest_likelihood_of_the_range():
    low, high = 0.1, 0.5
    spins = sample_lattices(np.repeat([0.05, 0.3, 0.44, 0.55], 25), 8, seed=4)
    grid = np.linspace(low, high, 4001)
    log_z = np.array([log_partition_function(beta, 8) for beta in grid])
    energies = 64 * energies_per_site(spins)
    likeliest = grid[np.argmax(-np.outer(energies, grid) - log_z, axis=1)]
    found = exact_betas(spins, low, high)
    np.testing.assert_allclose(found, likeliest, atol=grid[1] - grid[0])
    assert {low, high} <= set(found)


def test_single_lattices_of_32_sites_a_side_are_read_to_a_fortieth():
    """Mean squared error at most 6e-4, over the range of the net that reads β."""
    betas = np.repeat(np.linspace(0.02, 0.59, 20), 20)
    read = exact_betas(sample_lattices(betas, 32, seed=5), 0.01, 0.6)
    assert 1e-4 < ((read - betas) ** 2).mean() < 6e-4


def test_every_second_spin_flipped_is_the_opposite_beta():
    spins = sample_lattices(np.full(50, 0.3), 8, seed=2)
    staggered = spins * (1 - 2 * (np.indices((8, 8)).sum(axis=0) % 2)).astype(np.int8)
    assert exact_beta(staggered).beta == pytest.approx(-exact_beta(spins).beta)
    assert exact_beta(staggered).std_error == pytest.approx(exact_beta(spins).std_error)


@pytest.mark.parametrize("sign", [1, -1])
def test_ground_states_have_no_finite_beta(sign):
    spins = np.ones((3, 4, 4), dtype=np.int8)
    spins[:, ::2, ::2] *= sign
    spins[:, 1::2, 1::2] *= sign
    assert np.isnan(exact_beta(spins)).all()


def test_sizes_that_kaufman_does_not_know_are_refused():
    with pytest.raises(ValueError, match="L is 5"):
        exact_beta(np.ones((3, 5, 5), dtype=np.int8))


@given(beta=st.floats(1e-3, 1.2), half=st.integers(2, 40))
def test_beta_of_energy_inverts_the_energy(beta, half):
    energy = energy_per_site(beta, 2 * half)
    found = beta_of_energy(energy, 2 * half)
    assert energy_per_site(found, 2 * half) == pytest.approx(energy, abs=1e-12)
    assert found == pytest.approx(beta, abs=1e-8)


def test_beta_of_zero_energy_is_zero():
    assert beta_of_energy(0.0, 32) == 0.0


@pytest.mark.parametrize("energy", [0.01, -2.0, -2.5, math.nan])
def test_energies_no_temperature_has_are_refused(energy):
    with pytest.raises(ValueError, match="a finite β ≥ 0 exists only for"):
        beta_of_energy(energy, 32)


@pytest.mark.parametrize("L", [-2, 0, 2, 5, 33])
def test_a_side_without_an_exact_energy_is_refused(L):
    with pytest.raises(ValueError, match=f"L is {L}"):
        beta_of_energy(-1.0, L)
