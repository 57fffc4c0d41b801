"""Lattices mapped step by step: sums at every level, and what shifts of the origin do."""

import numpy as np
import pytest
from exact_states import all_states, block_chances, drawn, probabilities

from coarsegrain.rg import blocking
from coarsegrain.rg.block_maps import decimation, majority
from coarsegrain.rg.blocking import blocked, steps_possible
from coarsegrain.rg.coupling_operators import EVEN, ODD, operator_sums
from coarsegrain.rg.matching import mean_product, mismatch


def random_spins(n, L, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(n, L, L))


def test_levels_hold_the_sums_of_lattices_mapped_one_after_the_other():
    spins = random_spins(7, 16)
    levels = blocked(spins, [decimation] * 5, seed=1, shifts=1)
    assert [level.side for level in levels] == [16, 8, 4]
    for level, step in zip(levels, (1, 2, 4)):
        kept = spins[:, ::step, ::step]
        np.testing.assert_array_equal(level.even[:, 0], operator_sums(kept, EVEN[:4]))
        np.testing.assert_array_equal(level.odd[:, 0], operator_sums(kept, ODD[:2]))


def test_four_shifts_of_decimation_keep_the_four_sublattices():
    spins = random_spins(7, 8)
    level = blocked(spins, [decimation], seed=1, shifts=4)[1]
    for shift, (row, column) in enumerate(blocking.SHIFTS):
        kept = spins[:, row::2, column::2]
        np.testing.assert_array_equal(level.even[:, shift], operator_sums(kept, EVEN[:4]))
    assert len(set(blocking.SHIFTS)) == 4


def test_a_lattice_gets_the_same_ties_whatever_follows_it(monkeypatch):
    monkeypatch.setattr(blocking, "PIECE_SITES", 5 * 64)
    spins = random_spins(12, 8)
    few, many = (blocked(spins[:n], [majority], seed=1)[1] for n in (10, 12))
    np.testing.assert_array_equal(few.even, many.even[:10])


@pytest.mark.parametrize(("L", "maps", "steps"), [(64, 9, 4), (32, 2, 2), (8, 3, 1), (4, 3, 0)])
def test_lattices_are_mapped_until_they_are_too_small(L, maps, steps):
    assert steps_possible(L, maps) == steps


def test_mean_products_are_those_of_all_states(monkeypatch):
    monkeypatch.setattr(blocking, "SMALLEST_SIDE", 2)
    level = blocked(drawn(20000, seed=3), [majority], seed=1)[1]
    found = mean_product(level)
    mean_spin = 2 * block_chances(all_states()) - 1
    pairs = mean_spin * np.roll(mean_spin, 1, axis=1) + mean_spin * np.roll(mean_spin, 1, axis=2)
    exact = probabilities() @ pairs.mean(axis=(1, 2)) / 2
    assert abs(found.value - exact) < 4 * found.error
    assert found.error < 0.005


def test_mismatch_is_a_difference_of_independent_estimates():
    one, other = (
        mean_product(blocked(random_spins(50, 8, seed), [], seed=1)[0]) for seed in (1, 2)
    )
    found = mismatch(one, other)
    assert found.value == one.value - other.value
    assert found.error == pytest.approx((one.error**2 + other.error**2) ** 0.5)
