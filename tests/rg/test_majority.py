"""Block spins against sums over blocks written out."""

import numpy as np
import pytest

from coarsegrain.rg.majority import block_spins, majority_matrix, pair_means


def random_spins(n, L, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(n, L, L))


def block_sums(spins):
    n, L, _ = spins.shape
    return spins.reshape(n, L // 2, 2, L // 2, 2).sum(axis=(2, 4), dtype=int)


@pytest.mark.parametrize("L", [2, 6, 32])
def test_block_spin_is_the_sign_of_its_block_wherever_there_is_no_tie(L):
    spins = random_spins(50, L)
    blocks, sums = block_spins(spins, rng=np.random.default_rng(1)), block_sums(spins)
    assert blocks.dtype == np.int8
    assert set(np.unique(blocks)) == {-1, 1}
    np.testing.assert_array_equal(blocks[sums != 0], np.sign(sums[sums != 0]))


def test_ties_go_up_and_down_equally_often_and_independently_of_the_neighbours():
    spins = random_spins(400, 32)
    tied = block_sums(spins) == 0
    ties = block_spins(spins, rng=np.random.default_rng(1))[tied].astype(float)
    assert abs(ties.mean()) < 4 / np.sqrt(len(ties))
    assert abs((ties[1:] * ties[:-1]).mean()) < 4 / np.sqrt(len(ties))


@pytest.mark.parametrize("L", [4, 6, 32])
def test_hard_coded_weights_give_pair_means_and_then_block_means(L):
    spins = random_spins(10, L)
    pairs = spins.reshape(10, -1) @ majority_matrix(L, 1)
    np.testing.assert_array_equal(pairs, pair_means(spins).reshape(10, -1))
    np.testing.assert_array_equal(
        pairs @ majority_matrix(L, 2), block_sums(spins).reshape(10, -1) / 4
    )


def test_majority_refuses_odd_sides_and_other_steps():
    with pytest.raises(ValueError, match="even number of rows, not 3"):
        pair_means(random_spins(1, 3))
    with pytest.raises(ValueError, match="step 3, L = 8"):
        majority_matrix(8, 3)
