"""Units of a layer find the coarse sites that they stand for."""

import numpy as np
import pytest

from coarsegrain.rbm.machine import TiedMachine
from coarsegrain.rg.unit_placement import centres, placed_units, upright

BLOCK = TiedMachine(np.ones((1, 4, 4)), 8).dense().weights


def test_centres_of_windows_are_those_of_their_blocks_also_across_the_edge():
    blocks = 2 * np.indices((4, 4)).reshape(2, -1).T + 0.5
    np.testing.assert_allclose(centres(BLOCK), blocks, atol=1e-12)


def test_units_in_any_order_are_put_back_in_place():
    order = np.random.default_rng(2).permutation(16)
    noise = 0.1 * np.random.default_rng(3).normal(size=BLOCK.shape)
    np.testing.assert_array_equal(placed_units((BLOCK + noise)[:, order]), order)


def test_each_unit_gets_a_site_of_its_own_even_if_all_look_at_one():
    weights = np.repeat(BLOCK[:, :1], 16, axis=1)
    assert sorted(placed_units(weights)) == list(range(16))


def test_upside_down_units_are_told():
    signs = np.where(np.arange(16) % 3 == 0, -1.0, 1.0)
    np.testing.assert_array_equal(upright(BLOCK * signs), signs)


def test_other_numbers_of_units_are_refused():
    with pytest.raises(ValueError, match="15 units of 64 inputs"):
        placed_units(BLOCK[:, :15])
