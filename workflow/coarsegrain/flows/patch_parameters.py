"""The learned numbers of a flow by patches, in one array, and as the kernels take them.

By name they are arrays of all four variables of a patch (see ``coupling_stack``). A coupling's nets
see only the two that it keeps, and only outputs of the two that it changes matter: kernels get the
weights between these. All others have no effect and no gradient.
"""

import itertools
import math
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.coupling_stack import VARIABLES
from coarsegrain.flows.kernels.patches import HALF, PatchLayer
from coarsegrain.flows.patch_architecture import PatchArchitecture, Weights
from coarsegrain.flows.patches import layers_of_patches

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)


class PatchParameters:
    """Where the numbers of an architecture with certain masks stand."""

    def __init__(self, architecture: PatchArchitecture, weights: Weights) -> None:
        """Find the order of all numbers.

        Args:
            architecture: of the flow.
            weights: arrays by name, of which the masks are used.
        Raises:
            ValueError: a mask does not keep two variables.
        """
        self._architecture = architecture
        self.masks = {
            name: np.array(array, dtype=np.uint8)
            for name, array in weights.items()
            if name.endswith(".kept")
        }
        for name, mask in self.masks.items():
            if ((mask != 0).sum(axis=1) != HALF).any():
                raise ValueError(f"{name} has a row that does not keep {HALF} of {VARIABLES}.")
        self.shapes = {
            name: shape
            for name, shape in architecture.array_shapes().items()
            if name not in self.masks
        }
        self.size = sum(math.prod(shape) for shape in self.shapes.values())
        self._order = [
            np.argsort(1 - self.masks[f"{k}.kept"].astype(np.int64), axis=1, kind="stable")
            for k in range(architecture.layers)
        ]
        numbers = self.views(np.arange(self.size))
        self._places = [self._packed(k, numbers, turned=False) for k in range(len(self._order))]
        self._turned = [self._packed(k, numbers, turned=True) for k in range(len(self._order))]

    def views(self, parameters: npt.NDArray[Number]) -> dict[str, npt.NDArray[Number]]:
        """The parameters by name, as views of the one array (size,)."""
        found: dict[str, npt.NDArray[Number]] = {}
        at = 0
        for name, shape in self.shapes.items():
            found[name] = parameters[at : at + math.prod(shape)].reshape(shape)
            at += math.prod(shape)
        return found

    def layers(self, parameters: Array) -> list[PatchLayer]:
        """All layers in the order from fields to latents, with these parameters (size,)."""
        rounded = parameters.astype(np.float32)
        sites = layers_of_patches(self._architecture.L, self._architecture.scales)
        sizes = np.array((HALF, *self._architecture.hidden, HALF))
        return [
            PatchLayer(of_layer, order, sizes, rounded[places], rounded[turned])
            for of_layer, order, places, turned in zip(
                sites, self._order, self._places, self._turned, strict=True
            )
        ]

    def gradients(self) -> list[Array]:
        """An array of zeros for derivatives by each layer's numbers, as the kernels take it."""
        return [np.zeros(places.shape) for places in self._places]

    def gradient(self, of_layers: list[Array]) -> Array:
        """Derivatives by all parameters (size,)."""
        found = np.zeros(self.size)
        for places, values in zip(self._places, of_layers, strict=True):
            found[places] = values
        return found

    def _packed(
        self, layer: int, numbers: Mapping[str, npt.NDArray[np.generic]], *, turned: bool
    ) -> Index:
        """Parameters' numbers as ``PatchLayer`` has its weights, (couplings, …)."""
        order = self._order[layer]
        rows = np.arange(len(order))[:, None]
        kept, changed = order[:, :HALF], order[:, HALF:]
        parts = [numbers[f"{layer}.scale"][rows, changed]]
        last = len(self._architecture.hidden)
        for net, k in itertools.product(range(2), range(last + 1)):
            weight = numbers[f"{layer}.weight.{k}"][:, net]  # (couplings, inputs, outputs)
            bias = numbers[f"{layer}.bias.{k}"][:, net, 0]
            if k == 0:
                weight = np.take_along_axis(weight, kept[:, :, None], axis=1)
            if k == last:
                weight = np.take_along_axis(weight, changed[:, None, :], axis=2)
                bias = np.take_along_axis(bias, changed, axis=1)
            if not turned:
                weight = weight.transpose(0, 2, 1)
            parts += [weight.reshape(len(order), -1), bias]
        return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.int64)
