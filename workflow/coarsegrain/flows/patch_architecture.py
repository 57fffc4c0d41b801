"""The shape of a patch flow, and the weights that a new one starts from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.coupling_stack import array_shapes, starting_arrays

Weights = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class PatchArchitecture:
    """The shape of a flow; the defaults are those of Li and Wang at L = 16.

    Attributes:
        L: side of the lattice, a power of 2, at least 4.
        couplings: in every bijector.
        hidden: units in every hidden layer of a coupling's nets.
        depth: number of scales, the finest ones; all log₂ L if None.
        symmetric: whether q is even, ½ [q₀(x) + q₀(−x)], or q₀.
    Raises:
        ValueError: a number is out of range.
    """

    L: int
    couplings: int = 10
    hidden: tuple[int, ...] = (10, 10, 10)
    depth: int | None = None
    symmetric: bool = True

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.L < 4 or self.L & (self.L - 1):
            raise ValueError(f"L is {self.L}; it must be a power of 2, at least 4.")
        if self.couplings < 1:
            raise ValueError(f"couplings is {self.couplings}; it must be at least 1.")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(
                f"hidden is {self.hidden}; it must be one or more layers of at least 1 unit."
            )
        most = self.L.bit_length() - 1
        if self.depth is not None and not 1 <= self.depth <= most:
            raise ValueError(f"depth is {self.depth}; at L = {self.L} it must be from 1 to {most}.")

    @property
    def scales(self) -> int:
        """Number of scales."""
        return self.L.bit_length() - 1 if self.depth is None else self.depth

    @property
    def layers(self) -> int:
        """Number of layers: a disentangler and a decimator for each scale."""
        return 2 * self.scales

    def array_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of a flow's arrays by name: the layer, 0 at the fields, and the name there."""
        shapes = array_shapes(self.couplings, self.hidden)
        return {f"{k}.{name}": shape for k in range(self.layers) for name, shape in shapes.items()}


def starting_weights(architecture: PatchArchitecture, *, seed: int) -> dict[str, npt.NDArray[Any]]:
    """Weights of a new flow by name; it preserves volume (see ``coupling_stack``)."""
    rng = np.random.default_rng(seed)
    stacks = [
        starting_arrays(architecture.couplings, architecture.hidden, rng=rng)
        for _ in range(architecture.layers)
    ]
    return {f"{k}.{name}": array for k, stack in enumerate(stacks) for name, array in stack.items()}


def check_weights(architecture: PatchArchitecture, weights: Weights) -> None:
    """Refuse weights that are not those of an architecture.

    Raises:
        ValueError: an array is missing, or has another name or shape.
    """
    shapes = architecture.array_shapes()
    if weights.keys() != shapes.keys():
        odd = min(weights.keys() ^ shapes.keys())
        what = "is missing" if odd in shapes else "is not one of its arrays"
        raise ValueError(f"these are not the weights of {architecture}: {odd} {what}.")
    for name, shape in shapes.items():
        if weights[name].shape != shape:
            raise ValueError(
                f"these are not the weights of {architecture}: {name} has the shape "
                f"{weights[name].shape}, not {shape}."
            )
