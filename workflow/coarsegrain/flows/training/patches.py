"""Adam for the flow by patches, by torch: the order of its sums depends on the processor."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch

from coarsegrain.flows.patch_flow import PatchFlow

Array = npt.NDArray[np.float64]
Energy = Callable[[torch.Tensor], torch.Tensor]


def dual_energy(spectrum: Array, *, dtype: torch.dtype) -> Energy:
    """E(x) = ½ xᵀK⁻¹x − Σ ln cosh x of fields (n, L, L), as a function with gradients.

    Args:
        spectrum: (L, L) eigenvalues of K by wave vector.
        dtype: of the fields.
    """
    inverse = torch.tensor(1 / spectrum, dtype=dtype)
    sites = spectrum.size

    def energy(x: torch.Tensor) -> torch.Tensor:
        waves = torch.fft.fft2(x)
        quadratic = (torch.view_as_real(waves).square().sum(-1) * inverse).sum((1, 2)) / (2 * sites)
        size = x.abs()
        log_cosh = size + torch.log1p(torch.exp(-2 * size)) - math.log(2)
        return quadratic - log_cosh.sum((1, 2))

    return energy


class PatchTrainer:
    """A flow with Adam's moments and weight decay, as the authors train it."""

    def __init__(self, flow: PatchFlow, energy: Energy, *, seed: int, weight_decay: float) -> None:
        """Start without moments.

        Args:
            flow: changed in place.
            energy: E of the target, with gradients.
            seed: of the samples.
            weight_decay: half of it times the squared weights is added to the loss.
        """
        self._flow, self._energy, self._seed = flow, energy, seed
        self._parameters = flow.parameters()
        self._adam = torch.optim.Adam(self._parameters, weight_decay=weight_decay)
        for parameter in self._parameters:  # so that the moments are there before the first step
            state = self._adam.state[parameter]
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)

    def step(self, number: int, samples: int, rate: float) -> Array:
        """A step of Adam; see ``loop.Trainer``."""
        generator = torch.Generator().manual_seed(_mixed(self._seed, number))
        x, log_q = self._flow.draw_with_gradient(samples, generator=generator)
        loss = log_q + self._energy(x)
        self._adam.zero_grad()
        loss.mean().backward()  # type: ignore[no-untyped-call]
        self._adam.param_groups[0]["lr"] = rate
        self._adam.step()
        return loss.detach().double().numpy()

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next steps."""
        found = {}
        for k, parameter in enumerate(self._parameters):
            state = self._adam.state[parameter]
            found[f"{k}.parameter"] = parameter.detach().numpy()
            found[f"{k}.mean"] = state["exp_avg"].numpy()
            found[f"{k}.square"] = state["exp_avg_sq"].numpy()
            found[f"{k}.steps"] = state["step"].numpy().reshape(1)
        return found

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        for k, parameter in enumerate(self._parameters):
            state = self._adam.state[parameter]
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(tensors[f"{k}.parameter"]))
            state["exp_avg"].copy_(torch.from_numpy(tensors[f"{k}.mean"]))
            state["exp_avg_sq"].copy_(torch.from_numpy(tensors[f"{k}.square"]))
            state["step"].copy_(torch.from_numpy(tensors[f"{k}.steps"]).reshape(()))


def _mixed(seed: int, number: int) -> int:
    """A seed for every step."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)
