"""Adam for the flow by sublattices, on both divergences from the target.

    loss = (1 − λ) KL(q‖p) + λ KL(p‖q), without what the parameters do not change

KL(q‖p) needs the energy alone, and does not see what q leaves out; KL(p‖q) sees it, and needs exact
samples, which this model has at no cost.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.flow import Fields
from coarsegrain.flows.ingredients import Ingredients, constrain
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.simd import LANES
from coarsegrain.training.plain_adam import adam_step

Array = npt.NDArray[np.float64]
#: A gradient is shortened to so many times the usual length, which is a mean over past steps, each
#: with that weight. Adam goes by squares of gradients: one long one is not forgotten for long.
LONGEST, NEW = 2.0, 0.05
#: Exact samples (n, L, L) of the target, from their number and a generator.
ExactSamples = Callable[[int, np.random.Generator], Fields]


class SublatticeTrainer:
    """A flow with Adam's moments, all in float64; samples are computed in float32."""

    def __init__(
        self,
        flow: SublatticeFlow,
        *,
        seed: int,
        largest_gradient: float,
        share: float = 0.0,
        exact: ExactSamples | None = None,
        ingredients: Ingredients = Ingredients(),  # noqa: B008  frozen
    ) -> None:
        """Start without moments.

        Args:
            flow: changed in place.
            seed: of the samples.
            largest_gradient: longer ones are shortened to that.
            share: λ, of KL(p‖q) in the loss and of exact samples in a batch, 0 to 1.
            exact: draws exact samples; not needed if λ is 0.
            ingredients: what the flow has; its parameters started with the same.
        Raises:
            ValueError: there are no exact samples for λ > 0.
        """
        if share > 0 and exact is None:
            raise ValueError(f"the share of KL(p‖q) is {share}, but there are no exact samples.")
        self._flow, self._seed, self._largest = flow, seed, largest_gradient
        self._share, self._exact, self._ingredients = share, exact, ingredients
        self._mean, self._square = np.zeros_like(flow.parameters), np.zeros_like(flow.parameters)
        self._usual = np.zeros(1)  # length of gradients; 0 before the first one

    def step(self, number: int, samples: int, rate: float) -> Array:
        """A step of Adam; see ``loop.Trainer``. Without fresh samples, if λ is 1, no losses."""
        gradient, losses = np.zeros_like(self._flow.parameters), np.empty(0)
        of_exact = _blocks(samples * self._share)
        if self._share < 1:
            found = self._flow.step(
                _blocks(samples * (1 - self._share)),
                step=number,
                seed=self._seed,
                path=self._ingredients.path_gradients,
            )
            gradient += (1 - self._share) * found.gradient
            losses = found.loss
        if self._share > 0:
            assert self._exact is not None
            rng = np.random.default_rng((self._seed, number))
            likelihood = self._flow.likelihood_step(self._exact(of_exact, rng))
            gradient += self._share * likelihood.gradient
            if not np.isfinite(likelihood.loss).all():
                losses = np.full_like(likelihood.loss, np.nan)
        constrain(self._flow.architecture, self._ingredients, gradient)
        self._shorten(gradient)
        adam_step(self._flow.parameters, self._mean, self._square, gradient, number + 1, rate)
        self._flow.refresh()
        return losses

    def _shorten(self, gradient: Array) -> None:
        length = math.sqrt(math.fsum((gradient * gradient).tolist()))
        most = min(self._largest, LONGEST * self._usual[0] or math.inf)
        if length > most:
            gradient *= most / length
        before = self._usual[0] or length
        self._usual[0] = before + NEW * (min(length, most) - before)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next steps."""
        return {
            "parameters": self._flow.parameters,
            "mean": self._mean,
            "square": self._square,
            "usual": self._usual,
        }

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        self._flow.parameters[:] = tensors["parameters"]
        self._mean[:], self._square[:] = tensors["mean"], tensors["square"]
        self._usual[:] = tensors["usual"]
        self._flow.refresh()


def _blocks(samples: float) -> int:
    """A number of samples as a multiple of 32, at least that."""
    return max(1, round(samples / LANES)) * LANES
