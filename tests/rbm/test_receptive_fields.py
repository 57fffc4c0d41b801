"""Measures of receptive fields on fields whose measures are known."""

import itertools

import numpy as np
import pytest

from coarsegrain.rbm.machine import FreeMachine, TiedMachine
from coarsegrain.rbm.receptive_fields import (
    Windows,
    best_windows,
    centres,
    receptive_fields,
    shuffled,
    summary,
    tiling,
    window_sums,
)
from coarsegrain.sparsity import participation_ratio


def blocks(L):
    """(L²/4, L, L): the fields of block spins, one 2 x 2 block each."""
    fields = np.zeros((L // 2, L // 2, L, L))
    for row, col in itertools.product(range(L // 2), repeat=2):
        fields[row, col, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2] = 0.7
    return fields.reshape(-1, L, L)


def noise(units=5, L=8, seed=1):
    return np.random.default_rng(seed).normal(size=(units, L, L))


def test_the_field_of_a_unit_is_its_column_of_weights():
    weights = np.random.default_rng(2).normal(size=(36, 5))
    found = receptive_fields(FreeMachine(weights))
    np.testing.assert_array_equal(found[3].reshape(-1), weights[:, 3])


def test_the_fields_of_a_tied_machine_are_its_kernel_in_the_windows_of_its_units():
    kernel = np.random.default_rng(3).normal(size=(4, 4))
    found = receptive_fields(TiedMachine(kernel[None], 8))
    # unit (1, 2) is centred on the block of rows 2 and 3 and columns 4 and 5
    np.testing.assert_array_equal(found[4 * 1 + 2][1:5, 3:7], kernel)
    assert np.count_nonzero(found[4 * 1 + 2]) == 16


def test_a_machine_on_no_square_has_no_fields():
    with pytest.raises(ValueError, match="12 visible units"):
        receptive_fields(FreeMachine(np.ones((12, 3))))


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_window_sums_are_those_of_plain_python(size):
    values = noise()
    sums = window_sums(values, size)
    for unit, row, col in ((0, 0, 0), (3, 7, 6), (4, 2, 7)):
        plain = sum(
            values[unit, (row + i) % 8, (col + j) % 8] for i in range(size) for j in range(size)
        )
        assert sums[unit, row, col] == pytest.approx(plain, abs=1e-12)


def test_windows_are_no_larger_than_the_lattice():
    with pytest.raises(ValueError, match="sides of 1 to 8"):
        window_sums(noise(), 9)


@pytest.mark.parametrize(("row", "col"), [(0, 0), (2, 5), (7, 7)])
def test_a_block_lies_in_its_window_also_across_the_edge(row, col):
    field = np.zeros((1, 8, 8))
    field[0, :2, :2] = [[1, -2], [3, 1]]
    windows = best_windows(np.roll(field, (row, col), axis=(1, 2)), 2)
    assert (windows.share[0], windows.row[0], windows.col[0]) == (1, row, col)


def test_a_uniform_field_has_the_share_of_sites_and_all_sites_take_part():
    uniform = np.full((1, 8, 8), -0.3)
    assert best_windows(uniform, 2).share[0] == pytest.approx(4 / 64)
    assert best_windows(uniform, 4).share[0] == pytest.approx(16 / 64)
    assert participation_ratio(uniform)[0] == pytest.approx(64)


def test_participation_counts_the_sites_of_a_field_of_equal_weights():
    field = np.zeros((1, 8, 8))
    field.reshape(-1)[[3, 20, 40, 41, 63]] = [1, -1, 1, 1, -1]
    for scale in (1e-30, 1, 1e30):
        assert participation_ratio(scale * field)[0] == pytest.approx(5)


def test_units_without_weights_count_as_uniform_and_have_no_window():
    fields = np.concatenate([blocks(8)[:3], np.zeros((2, 8, 8))])
    windows = best_windows(fields, 2)
    np.testing.assert_allclose(windows.share, [1, 1, 1, 4 / 64, 4 / 64])
    assert list(windows.row[3:]) == [-1, -1]
    assert list(participation_ratio(fields)[3:]) == [64, 64]
    assert np.isnan(centres(fields)[3:]).all()
    assert tiling(windows, 2, 8).covered == 12 / 64


def test_the_centre_of_a_block_is_its_middle_on_the_torus():
    np.testing.assert_allclose(centres(blocks(8))[5], [2.5, 2.5])
    across = np.roll(blocks(8)[:1], (-1, -1), axis=(1, 2))
    np.testing.assert_allclose(centres(across)[0] % 8, [7.5, 7.5])
    assert np.isnan(centres(np.ones((1, 8, 8)))).all()


def test_block_spins_tile_the_lattice():
    tiles = tiling(best_windows(blocks(8), 2), 2, 8)
    assert (tiles.covered, tiles.overlap) == (1, 1)


def test_windows_at_one_place_cover_it_alone():
    place = np.zeros(6, dtype=np.int64)
    tiles = tiling(Windows(np.ones(6), place, place), 2, 8)
    assert (tiles.covered, tiles.overlap) == (4 / 64, 6)


@pytest.mark.parametrize(("L", "size", "n"), [(4, 2, 2), (4, 3, 2), (4, 2, 3), (6, 4, 2)])
def test_random_windows_cover_what_all_placements_cover(L, size, n):
    def covered(places):
        rows, cols = np.divmod(np.array(places), L)
        return tiling(Windows(np.ones(n), rows, cols), size, L).covered

    # the first window may stay where it is
    found = [covered((0, *rest)) for rest in itertools.product(range(L * L), repeat=n - 1)]
    random = tiling(Windows(np.ones(n), np.zeros(n, np.int64), np.zeros(n, np.int64)), size, L)
    assert random.random == pytest.approx(np.mean(found), abs=1e-12)
    assert random.random_sd == pytest.approx(np.std(found), abs=1e-12)


def test_shuffling_moves_weights_within_their_unit_and_keeps_the_participation():
    fields = blocks(8) * np.arange(1, 17)[:, None, None]
    moved = shuffled(fields, rng=np.random.default_rng(4))
    np.testing.assert_array_equal(
        np.sort(moved.reshape(16, -1), axis=1), np.sort(fields.reshape(16, -1), axis=1)
    )
    np.testing.assert_allclose(participation_ratio(moved), participation_ratio(fields))
    assert best_windows(moved, 2).share.mean() < 0.6


def test_a_summary_is_of_the_units_with_weights():
    numbers = summary(np.concatenate([blocks(8), np.zeros((4, 8, 8))]))
    assert (numbers["units"], numbers["silent"]) == (20, 4)
    assert numbers["share_2x2"] == pytest.approx(1)
    assert numbers["participation"] == pytest.approx(4)
    assert (numbers["covered_2x2"], numbers["overlap_2x2"]) == (1, 1)
    assert numbers["random_2x2"] == pytest.approx(1 - (60 / 64) ** 16)


def test_a_machine_without_weights_has_the_numbers_of_a_uniform_field_and_covers_nothing():
    numbers = summary(np.zeros((6, 8, 8)))
    assert numbers["silent"] == numbers["units"] == 6
    assert numbers["share_4x4"] == 0.25
    assert numbers["participation"] == 64
    assert (numbers["covered_2x2"], numbers["overlap_2x2"], numbers["random_2x2"]) == (0, 0, 0)
    assert np.isfinite(list(numbers.values())).all()
