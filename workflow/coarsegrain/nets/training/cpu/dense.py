"""Training of any dense net on a CPU: three products per layer and step, and one pass of Adam.

At the paper's batch of 10 the passes over the weights and Adam's moments (16 MB for Model-1) cost
as much as the arithmetic, so there are few: the last of a layer's three products (``products``)
makes Adam's update, too. Frozen leading layers are applied once, to the data, not at every step.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.losses import LOSSES, hinge
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.products import (
    copied,
    filled_up,
    from_panels,
    panels,
    products,
    products_before,
    put_into_panels,
    update,
)
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes
from coarsegrain.nets.training.cpu.loss_gradients import SLOPES
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.nets.training.trainer import EVALUATION_BATCH
from coarsegrain.vector_math import hyperbolic_tangents

FloatArray = npt.NDArray[np.floating]

#: What is kept of a parameter: itself, and Adam's mean of its gradient and of its square.
KINDS = ("weight", "mean", "square")


class _Workspace(NamedTuple):
    """Arrays for a batch, filled up (``products``).

    What fills up slopes is 0, and so has no part in any gradient.

    Attributes:
        outputs: (batch, units) of every layer, after the inputs of the first.
        slopes: the same of the loss, with respect to them.
        turned: (units, batch) the same, turned.
    """

    outputs: list[FloatArray]
    slopes: list[FloatArray]
    turned: list[FloatArray]


class DenseTrainer:
    """The trained layers and moments of one member, its data, and a workspace for a batch."""

    def __init__(
        self, member: Member, settings: TrainingSettings, *, frozen: int, precision: str
    ) -> None:
        self._settings, self._dtype = settings, np.dtype(precision)
        encoder = Network(member.network.layers[:frozen]) if frozen else None
        self._inputs, self._targets = self._resident(member.data, encoder)
        self._validation = self._resident(member.validation, encoder)
        layers = member.network.layers[frozen:]
        self._activations = [layer.activation for layer in layers]
        self._sizes = [layers[0].weight.shape[0], *(layer.weight.shape[1] for layer in layers)]
        # weights, and Adam's mean of the gradient and of its square
        self._in_panels = [panels(3, layer.weight.shape, precision) for layer in layers]
        self._weights = [weights for weights, _, _ in self._in_panels]
        for weights, layer in zip(self._weights, layers):
            put_into_panels(weights, layer.weight)
        self._biases = [
            None if layer.bias is None else copied(layer.bias[None], precision)[0]
            for layer in layers
        ]
        # the same three of each bias that is there
        self._of_biases = {
            k: (bias, np.zeros_like(bias), np.zeros_like(bias))
            for k, bias in enumerate(self._biases)
            if bias is not None
        }
        self._constants = adam_constants(settings, precision)
        # Only weights are penalised, not biases.
        self._no_penalty = self._constants._replace(l1=self._dtype.type(0))
        self._slopes_of = SLOPES[settings.loss]
        self._workspaces: dict[int, _Workspace] = {}

    def _resident(
        self, data: Data, encoder: Network | None
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
        """Flat inputs, as the first trained layer sees them, and targets: spins stay int8."""
        inputs, targets = (each.reshape(len(each), -1) for each in data)
        if encoder is not None:
            inputs = encoder(inputs).astype(self._dtype)
        if targets.dtype != np.int8:
            targets = targets.astype(self._dtype)
        return inputs, targets

    def run_epoch(self, order: npt.NDArray[np.int64], step: int) -> tuple[float, float]:
        """Train for an epoch."""
        n, batch_size = len(order), self._settings.batch_size
        sizes = step_sizes(self._settings, step, -(-n // batch_size), self._dtype)
        sums = np.zeros(2)
        for k, step_size in enumerate(sizes):
            batch = order[k * batch_size : (k + 1) * batch_size]
            work = self._workspace(len(batch))
            work.outputs[0][: len(batch), : self._sizes[0]] = self._inputs[batch]
            sums += self._step(work, self._targets[batch], step_size)
        hinge_mean, loss_mean = sums / (n * self._targets.shape[1])
        return float(hinge_mean), float(loss_mean)

    def _step(
        self, work: _Workspace, t: npt.NDArray[np.generic], step_size: FloatArray
    ) -> tuple[float, float]:
        """One batch: outputs, slopes, gradients, update. Returns sums of hinge and loss."""
        n, layers = len(t), range(len(self._weights))
        for k in layers:
            products(work.outputs[k], self._weights[k], work.outputs[k + 1], n, self._sizes[k])
            self._activate(k, work.outputs[k + 1])
        hinge_sum, loss_sum = self._slopes_of(work.outputs[-1], t, work.slopes[-1])
        for k in reversed(layers):
            self._through_activation(k, work.outputs[k + 1], work.slopes[k + 1])
            if k:
                products_before(
                    work.slopes[k + 1], self._weights[k], work.slopes[k], n,
                    *self._sizes[k : k + 2], work.turned[k + 1], work.turned[k],
                )  # fmt: skip
        self._update(work, n, step_size)
        return hinge_sum, loss_sum

    def _update(self, work: _Workspace, n: int, step_size: FloatArray) -> None:
        """Gradients of all parameters and Adam's step."""
        for k, of_layer in enumerate(self._in_panels):
            update(
                *of_layer, work.outputs[k], work.slopes[k + 1], n, self._sizes[k], step_size,
                self._constants,
            )  # fmt: skip
        for k, of_bias in self._of_biases.items():
            gradient = work.slopes[k + 1][:n].sum(axis=0)
            adam_update(*of_bias, gradient, step_size, self._no_penalty)

    def _workspace(self, batch: int) -> _Workspace:
        """The workspace of a batch; it stays the same for batches of one size."""
        if batch not in self._workspaces:
            outputs, slopes = (
                [filled_up(batch, size, self._dtype) for size in self._sizes] for _ in range(2)
            )
            turned = [filled_up(size, batch, self._dtype) for size in self._sizes]
            self._workspaces[batch] = _Workspace(outputs, slopes, turned)
        return self._workspaces[batch]

    def _activate(self, k: int, y: FloatArray) -> None:
        """Turn a layer's products into its outputs, in place."""
        bias, activation = self._biases[k], self._activations[k]
        if bias is not None:
            y += bias
        if activation == "tanh":
            hyperbolic_tangents(y, out=y)
        elif activation == "relu":
            np.maximum(y, 0, out=y)

    def _through_activation(self, k: int, y: FloatArray, slope: FloatArray) -> None:
        """Turn slopes with respect to a layer's outputs into those to its products, in place."""
        if self._activations[k] == "tanh":
            slope *= 1 - y * y
        elif self._activations[k] == "relu":
            slope *= y > 0

    def evaluate(self) -> tuple[float, float]:
        """Hinge and loss on the validation data."""
        inputs, targets = self._validation
        network, sums = Network(self.layers()), np.zeros(2)
        for start in range(0, len(inputs), EVALUATION_BATCH):
            t = targets[start : start + EVALUATION_BATCH]
            y = network(inputs[start : start + EVALUATION_BATCH])
            sums += len(t) * np.array([hinge(y, t), LOSSES[self._settings.loss](y, t)])
        return float(sums[0] / len(inputs)), float(sums[1] / len(inputs))

    def penalty(self) -> float:
        """λ Σ|w|."""
        weights = [layer.weight for layer in self.layers()]
        total = sum(np.abs(weight).sum(dtype=np.float64) for weight in weights)
        return self._settings.l1 * float(total)

    def layers(self) -> tuple[Layer, ...]:
        """The trained layers as they are now."""
        return tuple(
            Layer(
                from_panels(self._weights[k], *self._sizes[k : k + 2]),
                None if bias is None else bias[: self._sizes[k + 1]].copy(),
                activation,
            )
            for k, (bias, activation) in enumerate(zip(self._biases, self._activations))
        )

    def state(self) -> dict[str, FloatArray]:
        """Weights, biases and moments, for a checkpoint."""
        state = {}
        for k, of_layer in enumerate(self._in_panels):
            for kind, each in zip(KINDS, of_layer):
                state[f"{kind}.{k}"] = from_panels(each, *self._sizes[k : k + 2])
        for name, bias in self._named_biases():
            state[name] = bias.copy()
        return state

    def restore(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take over a state."""
        for k, of_layer in enumerate(self._in_panels):
            for kind, each in zip(KINDS, of_layer):
                put_into_panels(each, tensors[f"{kind}.{k}"])
        for name, bias in self._named_biases():
            bias[...] = tensors[name]

    def _named_biases(self) -> Iterator[tuple[str, FloatArray]]:
        """Numbers of biases and of their moments, without what fills them up."""
        for number, (k, of_bias) in enumerate(self._of_biases.items(), start=len(self._weights)):
            for kind, each in zip(KINDS, of_bias):
                yield f"{kind}.{number}", each[: self._sizes[k + 1]]
