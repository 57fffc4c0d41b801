"""Adam for the flow by sublattices."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.training.plain_adam import adam_step

Array = npt.NDArray[np.float64]


class SublatticeTrainer:
    """A flow with Adam's moments, all in float64; samples are computed in float32."""

    def __init__(self, flow: SublatticeFlow, *, seed: int, largest_gradient: float) -> None:
        """Start without moments.

        Args:
            flow: changed in place.
            seed: of the samples.
            largest_gradient: longer ones are shortened to that.
        """
        self._flow, self._seed, self._largest = flow, seed, largest_gradient
        self._mean, self._square = np.zeros_like(flow.parameters), np.zeros_like(flow.parameters)

    def step(self, number: int, samples: int, rate: float) -> Array:
        """A step of Adam; see ``loop.Trainer``."""
        found = self._flow.step(samples, step=number, seed=self._seed)
        gradient = found.gradient
        length = math.sqrt(math.fsum((gradient * gradient).tolist()))
        if length > self._largest:
            gradient *= self._largest / length
        adam_step(self._flow.parameters, self._mean, self._square, gradient, number + 1, rate)
        self._flow.refresh()
        return found.loss

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next steps."""
        return {"parameters": self._flow.parameters, "mean": self._mean, "square": self._square}

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        self._flow.parameters[:] = tensors["parameters"]
        self._mean[:], self._square[:] = tensors["mean"], tensors["square"]
        self._flow.refresh()
