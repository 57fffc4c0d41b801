"""Training of any dense net on a CPU: three products per layer and step, and one pass of Adam.

At the paper's batch of 10 the passes over the weights and Adam's moments (16 MB for Model-1) cost
as much as the arithmetic, so there are few: the last of a layer's three products (``products``)
makes Adam's update, too. Frozen leading layers are applied once, to the data, not at every step.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.losses import LOSSES, hinge
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.products import copied, filled_up, products, products_before, update
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes
from coarsegrain.nets.training.cpu.loss_gradients import SLOPES
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.nets.training.trainer import EVALUATION_BATCH
from coarsegrain.vector_math import hyperbolic_tangents

FloatArray = npt.NDArray[np.floating]


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
        self._weights = [copied(layer.weight, precision) for layer in layers]
        self._biases = [
            None if layer.bias is None else copied(layer.bias[None], precision)[0]
            for layer in layers
        ]
        # Only weights are penalised, not biases.
        of_biases = [bias for bias in self._biases if bias is not None]
        self._parameters = [*self._weights, *of_biases]
        self._means, self._squares = (
            [
                *(filled_up(n, m, precision) for _, n, m in self._with_sizes(self._weights)),
                *(np.zeros_like(bias) for bias in of_biases),
            ]
            for _ in range(2)
        )
        self._constants = adam_constants(settings, precision)
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
            sizes = self._sizes[k : k + 2]
            products(work.outputs[k], self._weights[k], work.outputs[k + 1], n, *sizes)
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
        for k, (w, m, v) in enumerate(zip(self._weights, self._means, self._squares)):
            sizes = self._sizes[k : k + 2]
            update(
                w, m, v, work.outputs[k], work.slopes[k + 1], n, *sizes, step_size, self._constants
            )
        of_biases = [each for each, b in zip(work.slopes[1:], self._biases) if b is not None]
        for k, slopes in enumerate(of_biases, start=len(self._weights)):
            b, m, v = self._parameters[k], self._means[k], self._squares[k]
            adam_update(b, m, v, slopes[:n].sum(axis=0), step_size, self._no_penalty)

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
        weights = [each[:n, :m].copy() for each, n, m in self._with_sizes(self._weights)]
        biases = [
            None if bias is None else bias[:size].copy()
            for bias, size in zip(self._biases, self._sizes[1:])
        ]
        return tuple(map(Layer, weights, biases, self._activations))

    def state(self) -> dict[str, FloatArray]:
        """Weights, biases and moments, for a checkpoint."""
        return {f"{name}.{k}": each.copy() for name, k, each in self._named()}

    def restore(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take over a state."""
        for name, k, each in self._named():
            each[...] = tensors[f"{name}.{k}"]

    def _named(self) -> Iterator[tuple[str, int, FloatArray]]:
        """Kind, number and numbers of each parameter, without what fills it up."""
        kinds = {"weight": self._parameters, "mean": self._means, "square": self._squares}
        of_biases = [m for m, bias in zip(self._sizes[1:], self._biases) if bias is not None]
        for name, arrays in kinds.items():
            weights, biases = arrays[: len(self._weights)], arrays[len(self._weights) :]
            for k, (each, n, m) in enumerate(self._with_sizes(weights)):
                yield name, k, each[:n, :m]
            for k, (each, m) in enumerate(zip(biases, of_biases), start=len(weights)):
                yield name, k, each[:m]

    def _with_sizes(self, arrays: Sequence[FloatArray]) -> Iterator[tuple[FloatArray, int, int]]:
        return zip(arrays, self._sizes, self._sizes[1:])
