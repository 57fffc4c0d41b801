"""Decimation against slicing written here only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsegrain.rg.decimation import (
    decimate,
    decimation_matrix,
    most_steps,
)


def random_spins(n, L, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(n, L, L))


def checkerboard_sites_row_by_row(lattice):
    L = len(lattice)
    kept = [lattice[row, col] for row in range(L) for col in range(L) if (row + col) % 2 == 0]
    return np.reshape(kept, (L, L // 2))


@pytest.mark.parametrize("L", [2, 4, 6, 10, 32])
def test_first_step_keeps_sites_with_even_row_plus_column_in_row_major_order(L):
    spins = random_spins(3, L)
    expected = np.array([checkerboard_sites_row_by_row(lattice) for lattice in spins])
    np.testing.assert_array_equal(decimate(spins, 1), expected)


@pytest.mark.parametrize("L", [2, 4, 6, 10, 32, 64])
def test_double_decimation_is_the_even_even_sublattice(L):
    spins = random_spins(3, L)
    np.testing.assert_array_equal(decimate(spins, 2), spins[:, ::2, ::2])


@given(k=st.integers(0, 5), m=st.sampled_from([1, 3, 5, 7]))
def test_lattice_of_side_2_to_the_k_times_odd_m_allows_2k_steps_down_to_m(k, m):
    L = 2**k * m
    assert most_steps(L) == 2 * k
    spins = random_spins(2, L, seed=L)
    np.testing.assert_array_equal(decimate(spins, 2 * k), spins[:, :: 2**k, :: 2**k])
    with pytest.raises(ValueError, match=f"possible are 0 to {2 * k}"):
        decimate(spins, 2 * k + 1)


@pytest.mark.parametrize("L", [4, 6, 8, 32])
@pytest.mark.parametrize("step", [1, 2])
def test_hard_coded_weights_equal_decimation_bit_for_bit(L, step):
    spins = random_spins(20, L)
    before = decimate(spins, step - 1).reshape(20, -1)
    after = decimate(spins, step).reshape(20, -1)
    product = before.astype(np.float32) @ decimation_matrix(L, step).astype(np.float32)
    np.testing.assert_array_equal(product, after)


@pytest.mark.parametrize("step", [3, 4])
def test_hard_coded_weights_of_later_steps_continue_the_pair_at_half_the_size(step):
    np.testing.assert_array_equal(decimation_matrix(16, step), decimation_matrix(8, step - 2))


def test_matrix_agrees_with_the_conditions_printed_as_eq_7_and_8():
    first, second = decimation_matrix(32, 1), decimation_matrix(32, 2)
    i = np.arange(1024)
    np.testing.assert_array_equal(first.sum(axis=1) == 1, (i // 32 + i) % 2 == 0)
    i = np.arange(512)
    np.testing.assert_array_equal(second.sum(axis=1) == 1, (i // 16) % 2 == 0)
    assert set(first.sum(axis=0)) == set(second.sum(axis=0)) == {1.0}


def test_decimation_refuses_lattices_that_are_not_square():
    with pytest.raises(ValueError, match=r"\(n, L, L\)"):
        decimate(np.ones((2, 4, 8), dtype=np.int8))
