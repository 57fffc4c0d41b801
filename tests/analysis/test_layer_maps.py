"""Layers of machines and nets become maps, or are refused."""

import numpy as np
import pytest

from coarsegrain.analysis.layer_maps import code_map, encoder, machine_map
from coarsegrain.nets.network import Layer, Network
from coarsegrain.rbm.machine import FreeMachine, TiedMachine
from coarsegrain.rg.decimation import decimate, decimation_matrix


def random_spins(n, L, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), size=(n, L, L))


def test_the_code_of_hard_coded_decimation_is_the_decimated_lattice():
    spins = random_spins(50, 8)
    net = Network(tuple(Layer(decimation_matrix(8, step)) for step in (1, 2)))
    coarse = code_map(net)(spins, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(coarse, decimate(spins, 2))


def test_the_encoder_is_the_first_layers():
    layers = tuple(Layer(np.full((4, 4), float(k))) for k in range(4))
    assert encoder(Network(layers)).layers == layers[:2]


def test_biases_turn_with_their_units():
    # one strong bias decides each unit, whatever the spins: all up, though half are upside down
    weights = TiedMachine(np.ones((1, 2, 2)), 8).dense().weights
    signs = np.where(np.arange(16) % 2, 1.0, -1.0)
    machine = FreeMachine(weights * signs, hidden_bias=100 * signs)
    coarse = machine_map(machine, sampled=True)(random_spins(20, 8), rng=np.random.default_rng(1))
    assert (coarse == 1).all()


def test_layers_that_are_no_map_are_refused():
    square = np.ones((4, 4))
    with pytest.raises(ValueError, match="linear layers without biases"):
        code_map(Network((Layer(square, activation="tanh"),)))
    with pytest.raises(ValueError, match="more than two layers"):
        code_map(Network((Layer(square),) * 3))
    with pytest.raises(ValueError, match="4 units of 4 inputs"):
        code_map(Network((Layer(square),)))
    with pytest.raises(ValueError, match="1 channels with stride 4"):
        machine_map(TiedMachine(np.ones((1, 4, 4)), 8, stride=4), sampled=True)
