"""Adam for the flow by patches, with L2 weight decay: as its authors train it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.dual_energy import Energy
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.training.plain_adam import adam_step

Array = npt.NDArray[np.float64]


class PatchTrainer:
    """A flow with Adam's moments, all in float64; samples are computed in float32."""

    def __init__(self, flow: PatchFlow, energy: Energy, *, seed: int, weight_decay: float) -> None:
        """Start without moments.

        Args:
            flow: changed in place.
            energy: E of the target and its gradient.
            seed: of the samples.
            weight_decay: half of it times the squared weights is added to the loss.
        """
        self._flow, self._energy, self._seed, self._decay = flow, energy, seed, weight_decay
        self._mean, self._square = np.zeros_like(flow.parameters), np.zeros_like(flow.parameters)

    def step(self, number: int, samples: int, rate: float) -> Array:
        """A step of Adam; see ``loop.Trainer``."""
        flow = self._flow
        found = flow.step(samples, self._energy, step=number, seed=self._seed)
        gradient = found.gradient + self._decay * flow.parameters
        adam_step(flow.parameters, self._mean, self._square, gradient, number + 1, rate)
        flow.refresh()
        return found.loss

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next steps."""
        return {"parameters": self._flow.parameters, "mean": self._mean, "square": self._square}

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        self._flow.parameters[:] = tensors["parameters"]
        self._mean[:], self._square[:] = tensors["mean"], tensors["square"]
        self._flow.refresh()
