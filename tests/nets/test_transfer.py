"""Transferred weights do in the deep net what they did in the shallow ones."""

import numpy as np
import pytest

from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.transfer import joined
from coarsegrain.rg.decimation import decimate, decimation_matrix


def hard_coded(step):
    return Network((Layer(decimation_matrix(8, step)),))


def test_joined_hard_coded_nets_decimate_twice():
    spins = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), size=(9, 8, 8))
    encoder = joined([hard_coded(1), hard_coded(2)])
    np.testing.assert_array_equal(encoder(spins), decimate(spins, 2).reshape(9, -1))


def test_nets_whose_sizes_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="16 outputs cannot feed one with 64 inputs"):
        joined([hard_coded(1), hard_coded(2), hard_coded(1)])
