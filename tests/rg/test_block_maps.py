"""Maps that halve a lattice, against their definitions written out and their probabilities."""

import numpy as np
import pytest

from coarsegrain.rbm.machine import TiedMachine, fields
from coarsegrain.rg.block_maps import (
    decimation,
    dense_layer,
    exact_in_any_order,
    majority,
    majority_with_flips,
    random_blocks,
    shuffled_majority,
    soft_majority,
    tied_layer,
)
from coarsegrain.rg.majority import block_spins


def random_spins(n, L, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(n, L, L))


def generator():
    return np.random.default_rng(7)


def block_sums(spins):
    n, L, _ = spins.shape
    return spins.reshape(n, L // 2, 2, L // 2, 2).sum(axis=(2, 4), dtype=int)


KERNEL = np.random.default_rng(3).normal(size=(4, 4))
MAPS = {
    "majority": majority,
    "decimation": decimation,
    "soft": soft_majority(0.5),
    "flips": majority_with_flips(0.05),
    "shuffled": shuffled_majority(1),
    "random": random_blocks(1),
    "sampled": tied_layer(KERNEL, sampled=True),
    "mean": tied_layer(KERNEL, sampled=False),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_gives_spins_of_half_the_side_and_the_same_for_the_same_generator(name):
    spins = random_spins(30, 8)
    coarse = MAPS[name](spins, rng=generator())
    assert coarse.shape == (30, 4, 4)
    assert coarse.dtype == np.int8
    assert set(np.unique(coarse)) == {-1, 1}
    np.testing.assert_array_equal(coarse, MAPS[name](spins, rng=generator()))


@pytest.mark.parametrize("name", MAPS)
def test_flipped_lattices_become_flipped_coarse_lattices_as_often(name):
    spins = random_spins(1, 8).repeat(4000, axis=0)
    up = MAPS[name](spins, rng=generator()).mean(axis=0)
    down = MAPS[name](-spins, rng=np.random.default_rng(8)).mean(axis=0)
    # 16 sites, two means of ±1 each
    assert abs(up + down).max() < 4.5 * (2 / 4000) ** 0.5


def test_majority_and_decimation_are_those_of_the_house():
    spins = random_spins(30, 8)
    np.testing.assert_array_equal(
        majority(spins, rng=generator()), block_spins(spins, rng=generator())
    )
    np.testing.assert_array_equal(decimation(spins, rng=generator()), spins[:, ::2, ::2])


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_soft_majority_has_the_probabilities_of_its_formula(strength):
    spins = random_spins(8000, 8)
    sums, coarse = block_sums(spins), soft_majority(strength)(spins, rng=generator())
    for total in (-4, -2, 0, 2, 4):
        drawn = coarse[sums == total] == 1
        p = np.exp(strength * total) / (2 * np.cosh(strength * total))
        assert abs(drawn.mean() - p) < 4.5 * (p * (1 - p) / len(drawn)) ** 0.5


def test_very_strong_soft_majority_is_the_majority_rule_but_for_ties():
    spins = random_spins(100, 8)
    sums, coarse = block_sums(spins), soft_majority(50.0)(spins, rng=generator())
    np.testing.assert_array_equal(coarse[sums != 0], np.sign(sums[sums != 0]))


def test_flips_are_as_many_as_they_should_be():
    spins = random_spins(8000, 8)
    sums, coarse = block_sums(spins), majority_with_flips(0.05)(spins, rng=generator())
    flipped = coarse[sums != 0] != np.sign(sums[sums != 0])
    assert abs(flipped.mean() - 0.05) < 4 * (0.05 * 0.95 / flipped.size) ** 0.5


def test_shuffled_majority_moves_all_lattices_coarse_sites_in_one_way():
    spins = np.repeat(np.repeat(random_spins(200, 4), 2, axis=1), 2, axis=2)  # no ties
    blocks = majority(spins, rng=generator()).reshape(200, -1)
    shuffled = shuffled_majority(1)(spins, rng=generator()).reshape(200, -1)
    order = [
        int(np.flatnonzero((blocks == column[:, None]).all(axis=0))[0]) for column in shuffled.T
    ]
    assert sorted(order) == list(range(16))
    assert order != list(range(16))


def test_every_site_is_in_one_random_block():
    spins = random_spins(4000, 8)
    coarse = random_blocks(1)(spins, rng=generator()).reshape(4000, -1).astype(float)
    # a spin of the block has correlation 3/8 with its majority (ties at random), others 0
    correlations = spins.reshape(4000, -1).astype(float).T @ coarse / 4000
    members = correlations > 3 / 16
    assert (members.sum(axis=0) == 4).all()
    assert (members.sum(axis=1) == 1).all()


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_tied_layer_is_the_layer_of_the_tied_machine(n):
    kernel = np.random.default_rng(n).normal(size=(n, n))
    spins = random_spins(200, 8)
    wanted = fields(TiedMachine(kernel[None], 8), spins).reshape(200, 4, 4)
    assert abs(wanted).min() > 1e-7
    coarse = tied_layer(kernel, sampled=False)(spins, rng=generator())
    np.testing.assert_array_equal(coarse, np.sign(wanted))


def test_sampled_layer_has_the_probabilities_of_the_machine():
    kernel, spins = 0.3 * KERNEL, random_spins(1, 8).repeat(20000, axis=0)
    coarse = tied_layer(kernel, sampled=True)(spins, rng=generator())
    field = fields(TiedMachine(kernel[None], 8), spins[:1])
    p = 1 / (1 + np.exp(-2 * field.reshape(4, 4)))
    scores = ((coarse == 1).mean(axis=0) - p) / (p * (1 - p) / 20000) ** 0.5
    assert abs(scores).max() < 4.5


def test_dense_layer_puts_units_on_their_sites():
    machine = TiedMachine(KERNEL[None], 8).dense()
    spins, order = random_spins(200, 8), np.random.default_rng(1).permutation(16)
    layer = dense_layer(machine.weights[:, order], order, sampled=False)
    tied = tied_layer(KERNEL, sampled=False)
    np.testing.assert_array_equal(layer(spins, rng=generator()), tied(spins, rng=generator()))
    with pytest.raises(ValueError, match="64 inputs does not take lattices of side 4"):
        layer(random_spins(1, 4), rng=generator())


def test_rounded_weights_have_the_same_sum_in_any_order():
    rng = np.random.default_rng(1)
    terms = exact_in_any_order(rng.normal(size=4096)) * rng.choice([-1, 1], size=4096)
    sums = {float(terms[rng.permutation(4096)].cumsum()[-1]) for _ in range(50)}
    assert len(sums) == 1


def test_equal_fields_of_both_signs_are_ties():
    # weights that cancel in any arithmetic: +w and −w
    layer = tied_layer(np.array([[0.1, 0.0], [0.0, 0.1]]), sampled=False)
    spins = np.ones((4000, 2, 2), dtype=np.int8)
    spins[:, 1, 1] = -1
    assert abs(layer(spins, rng=generator()).mean()) < 4 / 4000**0.5
