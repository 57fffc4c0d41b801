"""Training of any dense net on a CPU: three products per layer and step, and one pass of Adam.

At the paper's batch of 10 the passes over the weights and Adam's moments (16 MB for Model-1) cost
as much as the arithmetic, so there are few: the products are those of ``small_batch_products``,
which makes Adam's update with the last of them. For larger batches, or on other processors, they
are those of BLAS, and one pass (``adam``) adds the penalty's share to the gradient and makes the
update. Frozen leading layers are applied once, to the data, not at every step.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.losses import LOSSES, hinge
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes
from coarsegrain.nets.training.cpu.loss_gradients import SLOPES
from coarsegrain.nets.training.cpu.small_batch_products import (
    GROUP,
    LARGEST_BATCH_BACK,
    LARGEST_BATCH_OF_UPDATE,
    is_small_batch,
    products,
    transposed_products,
    update,
)
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.nets.training.trainer import EVALUATION_BATCH

FloatArray = npt.NDArray[np.floating]


class _Workspace(NamedTuple):
    """Arrays for a batch, in rows filled up with zeros to a multiple of ``GROUP``.

    Rows that are no lattices have slopes of 0, and so no part in any gradient.

    Attributes:
        x: (rows, inputs).
        outputs: (rows, units) of every layer.
        slopes: (rows, units) of the loss, with respect to them.
        small_batch: whether the layer's products are those of ``small_batch_products``.
    """

    x: FloatArray
    outputs: list[FloatArray]
    slopes: list[FloatArray]
    small_batch: list[bool]


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
        self._weights = [np.array(layer.weight, dtype=precision, order="C") for layer in layers]
        self._biases = [
            None if layer.bias is None else np.array(layer.bias, dtype=precision)
            for layer in layers
        ]
        # Weights and biases alike are updated as flat arrays; only weights are penalised.
        self._parameters = [*self._weights, *(bias for bias in self._biases if bias is not None)]
        self._means = [np.zeros_like(each) for each in self._parameters]
        self._squares = [np.zeros_like(each) for each in self._parameters]
        self._gradients = [np.empty_like(each) for each in self._weights]
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
            work.x[: len(batch)] = self._inputs[batch]
            sums += self._step(work, self._targets[batch], step_size)
        hinge_mean, loss_mean = sums / (n * self._targets.shape[1])
        return float(hinge_mean), float(loss_mean)

    def _step(
        self, work: _Workspace, t: npt.NDArray[np.generic], step_size: FloatArray
    ) -> tuple[float, float]:
        """One batch: outputs, slopes, gradients, update. Returns sums of hinge and loss."""
        inputs = [work.x, *work.outputs[:-1]]  # of each layer
        for k, (weight, y) in enumerate(zip(self._weights, work.outputs)):
            if work.small_batch[k]:
                products(inputs[k], weight, y)
            else:
                np.matmul(inputs[k], weight, out=y)
            self._activate(k, y)
        hinge_sum, loss_sum = self._slopes_of(
            work.outputs[-1][: len(t)], t, work.slopes[-1][: len(t)]
        )
        for k in reversed(range(len(inputs))):
            self._through_activation(k, work.outputs[k], work.slopes[k])
            if k and work.small_batch[k] and len(t) <= LARGEST_BATCH_BACK:
                transposed_products(work.slopes[k], self._weights[k], work.slopes[k - 1])
            elif k:  # w slopesᵀ: OpenBLAS has no good kernel for slopes wᵀ with a narrow batch
                work.slopes[k - 1][...] = (self._weights[k] @ work.slopes[k].T).T
        self._update(work, inputs, step_size)
        return hinge_sum, loss_sum

    def _update(
        self, work: _Workspace, inputs: Sequence[FloatArray], step_size: FloatArray
    ) -> None:
        """Gradients of all parameters and Adam's step."""
        for k, slopes in enumerate(work.slopes):
            w, m, v = self._weights[k], self._means[k], self._squares[k]
            if work.small_batch[k] and len(slopes) <= LARGEST_BATCH_OF_UPDATE:
                update(w, m, v, inputs[k], slopes, step_size, self._constants)
                continue
            gradient = np.matmul(inputs[k].T, slopes, out=self._gradients[k])
            flat = (each.reshape(-1) for each in (w, m, v, gradient))
            adam_update(*flat, step_size, self._constants)
        of_biases = [slopes for slopes, bias in zip(work.slopes, self._biases) if bias is not None]
        for k, slopes in enumerate(of_biases, start=len(self._weights)):
            b, m, v = self._parameters[k], self._means[k], self._squares[k]
            adam_update(b, m, v, slopes.sum(axis=0), step_size, self._no_penalty)

    def _workspace(self, batch: int) -> _Workspace:
        """The workspace of a batch; it stays the same for batches of one size."""
        if batch not in self._workspaces:
            rows = -(-batch // GROUP) * GROUP
            shapes = [(rows, weight.shape[1]) for weight in self._weights]
            self._workspaces[batch] = _Workspace(
                np.zeros((rows, self._weights[0].shape[0]), self._dtype),
                [np.zeros(shape, self._dtype) for shape in shapes],
                [np.zeros(shape, self._dtype) for shape in shapes],
                [
                    is_small_batch(batch, weight.shape[0], weight.shape[1], self._dtype)
                    for weight in self._weights
                ],
            )
        return self._workspaces[batch]

    def _activate(self, k: int, y: FloatArray) -> None:
        """Turn a layer's products into its outputs, in place."""
        bias, activation = self._biases[k], self._activations[k]
        if bias is not None:
            y += bias
        if activation == "tanh":
            np.tanh(y, out=y)
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
        return self._settings.l1 * float(
            sum(np.abs(weight).sum(dtype=np.float64) for weight in self._weights)
        )

    def layers(self) -> tuple[Layer, ...]:
        """The trained layers; they share memory with the trainer."""
        return tuple(map(Layer, self._weights, self._biases, self._activations))

    def state(self) -> dict[str, FloatArray]:
        """Weights, biases and moments, for a checkpoint."""
        return {f"{name}.{k}": each for name, k, each in self._named()}

    def restore(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take over a state."""
        for name, k, each in self._named():
            each[...] = tensors[f"{name}.{k}"]

    def _named(self) -> Sequence[tuple[str, int, FloatArray]]:
        kinds = {"weight": self._parameters, "mean": self._means, "square": self._squares}
        return [(name, k, each) for name, arrays in kinds.items() for k, each in enumerate(arrays)]
