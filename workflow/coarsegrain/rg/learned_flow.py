"""The group flow of one coupling, K → K', learned from the correlation length alone.

A change of scale by b divides the correlation length by b. A net learns the K' for which it does,

    loss = mean over K of (ln ξ(K') − ln ξ(K) + ln b)²        K' = K σ(y(K)),

by Adam; y is a small net (``scalar_net``). Of the model it is given ξ as a function of K, exact or
measured, and of the flow that 0 < K' < K, no more: no formula of a decimation, and b is a number.

The logarithm matters. A plain loss, (ξ(K') − ξ(K)/b)², counts an error of K' by dξ/dK', which grows
as e^(2K'): it is kept as ``loss="plain"`` to show what that does at small K.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from coarsegrain.errors import TrainingError
from coarsegrain.jit import kernel
from coarsegrain.rg.scalar_net import gradient, number_of_parameters, outputs, start
from coarsegrain.training.plain_adam import adam_step, half_cosine

FloatArray = npt.NDArray[np.float64]
#: From couplings (n,) to ln ξ and d ln ξ/dK, (n,) each.
LogLength = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class FlowSettings:
    """How a flow is learned.

    Attributes:
        lowest: smallest K that is learned from.
        highest: largest.
        couplings: number of K, equally spaced.
        hidden: units in each of the net's two hidden layers.
        steps: of Adam, each on all couplings.
        learning_rate: of the first step; from there half a cosine down to 0.
        loss: of ln ξ ("log"), or of ξ itself ("plain").
    """

    lowest: float
    highest: float
    couplings: int = 64
    hidden: int = 16
    steps: int = 20_000
    learning_rate: float = 1e-2
    loss: Literal["log", "plain"] = "log"


@dataclass(frozen=True)
class LearnedFlow:
    """A learned map of couplings, and the K that it was learned from.

    Attributes:
        parameters: of the net.
        settings: how it was learned.
        loss: after the last step.
    """

    parameters: FloatArray
    settings: FlowSettings
    loss: float

    def __call__(self, K: npt.ArrayLike) -> FloatArray:
        """K' of couplings K (n,), which should lie between the lowest and the highest learned."""
        couplings = np.asarray(K, dtype=np.float64)
        y = _Activations(self.settings, couplings).outputs(self.parameters)
        after, _ = _couplings_after(couplings, y)
        return np.asarray(after)


def learn_flow(
    log_length: LogLength, b: float, settings: FlowSettings, *, rng: np.random.Generator
) -> LearnedFlow:
    """Learn K' with ξ(K') = ξ(K)/b.

    Args:
        log_length: what is known of the model.
        b: the change of scale, above 1.
        settings: how to learn.
        rng: draws the net's starting weights.
    Raises:
        TrainingError: the training came to numbers that are not finite.
    """
    K = np.linspace(settings.lowest, settings.highest, settings.couplings)
    net = _Activations(settings, K)
    parameters = start(settings.hidden, rng=rng)
    by_parameters, mean, square = (
        np.zeros(number_of_parameters(settings.hidden)) for _ in range(3)
    )
    wanted = log_length(K)[0] - math.log(b)
    for step in range(1, settings.steps + 1):
        after, by_y = _couplings_after(K, net.outputs(parameters))
        _loss(wanted, *log_length(after), by_y, settings.loss == "plain")  # turns by_y into its own
        gradient(parameters, net.x, net.hidden_1, net.hidden_2, by_y, by_parameters)
        rate = settings.learning_rate * half_cosine(step, settings.steps)
        adam_step(parameters, mean, square, by_parameters, step, rate)
    after, by_y = _couplings_after(K, net.outputs(parameters))
    loss = _loss(wanted, *log_length(after), by_y, settings.loss == "plain")
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss of the flow for b = {b} is {loss} after {settings.steps} steps: "
            "lower the learning rate."
        )
    return LearnedFlow(parameters, settings, loss)


class _Activations:
    """The net's inputs for couplings K, scaled to −1 … 1, and room for its layers."""

    def __init__(self, settings: FlowSettings, K: FloatArray) -> None:
        centre = (settings.lowest + settings.highest) / 2
        self.x = (K - centre) / ((settings.highest - settings.lowest) / 2)
        self.hidden_1 = np.empty((len(K), settings.hidden))
        self.hidden_2 = np.empty((len(K), settings.hidden))
        self.y = np.empty(len(K))

    def outputs(self, parameters: FloatArray) -> FloatArray:
        """The net's outputs, (n,)."""
        outputs(parameters, self.x, self.hidden_1, self.hidden_2, self.y)
        return self.y


@kernel
def _couplings_after(K, y):  # type: ignore[no-untyped-def]
    """K' = K σ(y) and dK'/dy, (n,) each."""
    after, by_y = np.empty(len(K)), np.empty(len(K))
    for i in range(len(K)):
        share = 1.0 / (1.0 + math.exp(-y[i]))
        after[i] = K[i] * share
        by_y[i] = after[i] * (1.0 - share)
    return after, by_y


@kernel
def _loss(wanted, log_xi, slope, by_y, plain):  # type: ignore[no-untyped-def]
    """The loss; its derivative with respect to the net's outputs takes the place of dK'/dy.

    Args:
        wanted: (n,) ln ξ(K) − ln b.
        log_xi: (n,) ln ξ(K').
        slope: (n,) d ln ξ/dK'.
        by_y: (n,) dK'/dy, overwritten.
        plain: differences of ξ in place of those of ln ξ.
    """
    n, loss = len(wanted), 0.0
    for i in range(n):
        difference, by_k = log_xi[i] - wanted[i], slope[i]
        if plain:
            xi = math.exp(log_xi[i])
            difference, by_k = xi - math.exp(wanted[i]), xi * slope[i]
        loss += difference * difference / n
        by_y[i] *= 2.0 / n * difference * by_k
    return loss
