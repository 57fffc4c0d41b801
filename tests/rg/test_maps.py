"""The named maps give what their modules give."""

import numpy as np

from coarsegrain.rg.decimation import decimate, decimation_matrix
from coarsegrain.rg.majority import majority_matrix
from coarsegrain.rg.maps import coarse_grain, hard_coded_weights

SPINS = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), size=(5, 8, 8))


def test_each_step_of_either_map_halves_the_number_of_sites():
    for name in ("decimation", "majority"):
        first, second = coarse_grain(SPINS, name, seed=0)
        assert (first[0].size, second[0].size) == (32, 16)
        assert first.dtype == second.dtype == np.int8


def test_decimation_by_name_is_decimation_and_needs_no_seed():
    for seed in (0, 1):
        first, second = coarse_grain(SPINS, "decimation", seed=seed)
        np.testing.assert_array_equal(first, decimate(SPINS, 1))
        np.testing.assert_array_equal(second, decimate(SPINS, 2))


def test_majority_by_name_draws_its_ties_from_the_seed():
    same, again, other = (coarse_grain(SPINS, "majority", seed=seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(same, again)
    assert (same != other).any()


def test_hard_coded_weights_by_name():
    np.testing.assert_array_equal(hard_coded_weights(8, "decimation", 2), decimation_matrix(8, 2))
    np.testing.assert_array_equal(hard_coded_weights(8, "majority", 1), majority_matrix(8, 1))
