"""Starting weights."""

import math
from collections.abc import Sequence

import numpy as np

from coarsegrain.nets.network import Activation, Layer, Network


def glorot_network(
    sizes: Sequence[int], activations: Sequence[Activation], *, biases: bool, seed: int
) -> Network:
    """Draw a net's starting weights: uniform in ±√(6 / (inputs + outputs)), biases 0.

    X. Glorot and Y. Bengio, AISTATS 2010, eq. 16; Keras' default.
    """
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, outputs, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        limit = math.sqrt(6 / (inputs + outputs))
        weight = rng.uniform(-limit, limit, size=(inputs, outputs))
        layers.append(Layer(weight, np.zeros(outputs) if biases else None, activation))
    return Network(tuple(layers))
