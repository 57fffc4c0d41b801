"""Stacks of machines: what a layer makes is what the next is trained on."""

import numpy as np
import pytest

from coarsegrain.rbm.machine import FreeMachine, TiedMachine, fields
from coarsegrain.rbm.stack import through_layers

RNG = np.random.default_rng
STRONG = TiedMachine(np.full((1, 2, 2), 50.0), 8)


def lattices(n, L=8):
    return RNG(1).choice(np.array([-1, 1], np.int8), (n, L, L))


def test_no_machines_change_nothing():
    spins = lattices(3)
    assert through_layers([], spins, rng=RNG(2)) is spins


def test_strong_tied_machines_of_one_channel_halve_the_side_by_majority():
    spins = lattices(1500)  # more than one group
    coarse = through_layers([STRONG], spins, rng=RNG(2))
    sums = spins.reshape(-1, 4, 2, 4, 2).sum(axis=(2, 4))
    assert coarse.shape == (1500, 4, 4)
    np.testing.assert_array_equal(coarse[sums != 0], np.sign(sums)[sums != 0])
    ties = coarse[sums == 0]
    assert abs(ties.mean()) < 4 / np.sqrt(ties.size)


def test_layers_are_applied_one_after_the_other():
    second = FreeMachine(50 * RNG(3).normal(size=(16, 5)))
    spins = np.repeat(np.repeat(lattices(20, 4), 2, axis=1), 2, axis=2)  # no ties
    blocks = spins[:, ::2, ::2]
    hidden = through_layers([STRONG, second], spins, rng=RNG(2))
    expected = fields(second, blocks)
    assert hidden.shape == (20, 5)
    clear = np.abs(expected) > 20
    np.testing.assert_array_equal(hidden[clear], np.sign(expected)[clear])


def test_several_channels_make_a_layer_of_units():
    machine = TiedMachine(np.ones((3, 2, 2)), 8)
    assert through_layers([machine], lattices(5), rng=RNG(2)).shape == (5, 48)


def test_a_machine_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="16 units were given to a layer of 64"):
        through_layers([STRONG, STRONG], lattices(5), rng=RNG(2))
