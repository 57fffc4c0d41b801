"""Observables on lattices whose values are known."""

import numpy as np
import pytest

from coarsegrain.ising.observables import (
    binder_cumulant,
    energy_per_site,
    heat_capacity,
    magnetization,
    magnetization_squared,
)


def random_spins(n: int, L: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), size=(n, L, L))


def test_energy_is_the_sum_over_bonds_written_out():
    spins = random_spins(5, 6)
    expected = [
        -sum(
            int(s[y, x]) * (int(s[(y + 1) % 6, x]) + int(s[y, (x + 1) % 6]))
            for y in range(6)
            for x in range(6)
        )
        / 36
        for s in spins
    ]
    np.testing.assert_allclose(energy_per_site(spins), expected, rtol=0, atol=1e-15)


def test_ground_states_antiferromagnet_and_stripes_have_their_energies():
    up = np.ones((4, 4), np.int8)
    checkerboard = (1 - 2 * (np.indices((4, 4)).sum(0) % 2)).astype(np.int8)
    stripes = np.repeat(np.array([1, -1, 1, -1], np.int8), 4).reshape(4, 4)
    spins = np.stack([up, -up, checkerboard, stripes])
    assert energy_per_site(spins).tolist() == [-2.0, -2.0, 2.0, 0.0]
    assert magnetization(spins).tolist() == [1.0, -1.0, 0.0, 0.0]


def test_observables_of_large_lattices_do_not_overflow_int8():
    spins = np.ones((2, 64, 64), np.int8)
    assert energy_per_site(spins).tolist() == [-2.0, -2.0]
    assert magnetization(spins).tolist() == [1.0, 1.0]


def test_a_global_flip_changes_only_the_sign_of_the_magnetization():
    spins = random_spins(10, 8)
    np.testing.assert_array_equal(energy_per_site(-spins), energy_per_site(spins))
    np.testing.assert_array_equal(magnetization(-spins), -magnetization(spins))
    np.testing.assert_array_equal(magnetization_squared(-spins), magnetization_squared(spins))


def test_results_are_float64_one_per_lattice():
    for observable in (energy_per_site, magnetization, magnetization_squared):
        values = observable(random_spins(7, 8))
        assert values.shape == (7,)
        assert values.dtype == np.float64


def test_heat_capacity_is_the_variance_of_the_total_energy():
    energies = np.array([-1.0, -1.5, -2.0])
    assert heat_capacity(energies, 0.5, 16) == pytest.approx(0.25 * 0.25 * 16)


def test_binder_cumulant_is_two_thirds_in_order_and_zero_for_gaussian_magnetization():
    assert binder_cumulant(np.array([0.9, -0.9])) == pytest.approx(2 / 3)
    m = np.random.default_rng(1).normal(size=400_000)
    assert binder_cumulant(m) == pytest.approx(0.0, abs=0.01)  # five standard errors
