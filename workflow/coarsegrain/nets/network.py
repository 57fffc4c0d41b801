"""Nets as plain arrays: layers, forward pass, file format. Training is in ``training``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.products import times
from coarsegrain.storage.refusal import refusal
from coarsegrain.storage.weights import read_weights, write_weights
from coarsegrain.vector_math import hyperbolic_tangents

Activation = Literal["linear", "tanh", "relu"]
FloatArray = npt.NDArray[np.floating]

BATCH = 2048  # lattices per forward pass: bounds the memory of the hidden layers


@dataclass(frozen=True)
class Layer:
    """One dense layer, x -> activation(x W + b).

    Attributes:
        weight: (inputs, outputs).
        bias: (outputs,), or None for none.
        activation: ``linear``, ``tanh`` or ``relu``.
    """

    weight: FloatArray
    bias: FloatArray | None = None
    activation: Activation = "linear"

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map (n, inputs) to (n, outputs)."""
        y = times(x, self.weight)
        if self.bias is not None:
            y = y + self.bias
        if self.activation == "tanh":
            return hyperbolic_tangents(y)
        return np.maximum(y, 0) if self.activation == "relu" else y


@dataclass(frozen=True)
class Network:
    """Layers applied one after the other to flattened lattices."""

    layers: tuple[Layer, ...]

    def __call__(self, x: npt.NDArray[np.generic]) -> FloatArray:
        """Outputs for flattened lattices.

        Args:
            x: (n, inputs) or (n, rows, cols) with rows * cols = inputs; int8 or floating.
        Returns:
            (n, outputs), in the precision of the weights.
        """
        flat = x.reshape(len(x), -1)
        dtype = self.layers[0].weight.dtype
        outputs = np.empty((len(x), self.sizes[-1]), dtype=dtype)
        for start in range(0, len(x), BATCH):
            y: FloatArray = flat[start : start + BATCH].astype(dtype)
            for layer in self.layers:
                y = layer(y)
            outputs[start : start + BATCH] = y
        return outputs

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, inputs first: (1024, 512) for CG-1024-512."""
        return (self.layers[0].weight.shape[0], *(each.weight.shape[1] for each in self.layers))


def write_network(path: Path, network: Network) -> None:
    """Write a net as safetensors: ``<k>.weight``, ``<k>.bias``, activations as metadata."""
    tensors = {f"{k}.weight": layer.weight for k, layer in enumerate(network.layers)}
    tensors |= {
        f"{k}.bias": layer.bias for k, layer in enumerate(network.layers) if layer.bias is not None
    }
    activations = ",".join(layer.activation for layer in network.layers)
    write_weights(path, tensors, {"activations": activations})


def read_network(path: Path) -> Network:
    """Read a net that ``write_network`` wrote.

    Raises:
        StorageError: the file is damaged or is no net; the sentence names it.
    """
    tensors, metadata = read_weights(path)
    activations = metadata.get("activations", "").split(",")
    layers: list[Layer] = []
    for k, activation in enumerate(activations):
        weight, bias = tensors.get(f"{k}.weight"), tensors.get(f"{k}.bias")
        known = activation in ("linear", "tanh", "relu")
        if weight is None or not known or not fits(weight, bias, layers):
            raise refusal(path, f"holds no net of coarsegrain (layer {k} does not fit)")
        layers.append(Layer(weight, bias, activation))  # type: ignore[arg-type]
    return Network(tuple(layers))


def fits(
    weight: npt.NDArray[np.generic], bias: npt.NDArray[np.generic] | None, before: Sequence[Layer]
) -> bool:
    """Whether arrays from a file can be the layer after others: shapes, and types of numbers."""
    return (
        weight.ndim == 2
        and weight.size > 0
        and weight.dtype.kind == "f"
        and (not before or before[-1].weight.shape[1] == weight.shape[0])
        and (bias is None or (bias.shape == weight.shape[1:] and bias.dtype.kind == "f"))
    )
