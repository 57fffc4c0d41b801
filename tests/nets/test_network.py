"""Forward pass against matrix products written out; file format."""

import numpy as np
import pytest

from coarsegrain.errors import StorageError
from coarsegrain.nets.network import BATCH, Layer, Network, read_network, write_network
from coarsegrain.storage.weights import write_weights

RNG = np.random.default_rng(0)
THREE = Network(
    (
        Layer(RNG.normal(size=(16, 8)), RNG.normal(size=8), "tanh"),
        Layer(RNG.normal(size=(8, 4))),
        Layer(RNG.normal(size=(4, 1)), RNG.normal(size=1), "relu"),
    )
)


def test_network_is_its_layers_one_after_the_other():
    spins = RNG.choice(np.array([-1, 1], dtype=np.int8), size=(BATCH + 3, 4, 4))
    a, b, c = THREE.layers
    hidden = np.tanh(spins.reshape(-1, 16) @ a.weight + a.bias) @ b.weight
    np.testing.assert_allclose(THREE(spins), np.maximum(hidden @ c.weight + c.bias, 0), rtol=1e-12)
    assert THREE.sizes == (16, 8, 4, 1)


def test_a_written_net_reads_back_the_same(tmp_path):
    write_network(tmp_path / "net.safetensors", THREE)
    again = read_network(tmp_path / "net.safetensors")
    assert [layer.activation for layer in again.layers] == ["tanh", "linear", "relu"]
    for before, after in zip(THREE.layers, again.layers, strict=True):
        np.testing.assert_array_equal(after.weight, before.weight)
        assert (after.bias is None) == (before.bias is None)


@pytest.mark.parametrize(
    ("tensors", "activations"),
    [
        ({"0.weight": np.ones((4, 2))}, ""),
        ({"0.weight": np.ones((4, 2))}, "softmax"),
        ({"0.weight": np.ones(4)}, "linear"),
        ({"0.weight": np.ones((4, 2)), "1.weight": np.ones((3, 1))}, "linear,linear"),
        ({"0.weight": np.ones((4, 2)), "0.bias": np.ones(3)}, "linear"),
    ],
)
def test_weights_that_are_no_net_are_refused_by_name(tmp_path, tensors, activations):
    path = tmp_path / "foreign.safetensors"
    write_weights(path, tensors, {"activations": activations})
    with pytest.raises(StorageError, match=r"foreign\.safetensors holds no net"):
        read_network(path)
