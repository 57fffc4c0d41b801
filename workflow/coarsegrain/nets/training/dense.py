"""Training of any dense net on a CPU: matrix products by BLAS, everything else in one pass.

At the paper's batch of 10 a step is bound by memory, not by arithmetic: the weights and Adam's
moments of Model-1 are 16 MB. So the gradient is written by the product that computes it and read
once, by a pass that adds the penalty's share and makes Adam's update (``adam``); nothing else goes
over the weights. Frozen leading layers are applied once, to the data, not at every step.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.losses import LOSSES, hinge
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training.adam import adam_update, decay, step_sizes
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.nets.training.slopes import SLOPES

FloatArray = npt.NDArray[np.floating]

EVALUATION_BATCH = 2048


class DenseTrainer:
    """The trained layers and moments of one member, its data, and room for a batch."""

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
        self._gradients = [np.empty_like(each) for each in self._parameters]
        self._decay = decay(settings, precision)
        self._no_penalty = self._decay._replace(l1=self._dtype.type(0))
        self._slopes_of = SLOPES[settings.loss]
        self._room: dict[int, tuple[list[FloatArray], list[FloatArray]]] = {}

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
        """Train for an epoch; see ``MemberTrainer``."""
        n, batch_size = len(order), self._settings.batch_size
        sizes = step_sizes(self._settings, step, -(-n // batch_size), self._dtype)
        sums = np.zeros(2)
        for k, step_size in enumerate(sizes):
            batch = order[k * batch_size : (k + 1) * batch_size]
            x = self._inputs[batch].astype(self._dtype, copy=False)
            sums += self._step(x, self._targets[batch], step_size)
        hinge_mean, loss_mean = sums / (n * self._targets.shape[1])
        return float(hinge_mean), float(loss_mean)

    def _step(
        self, x: FloatArray, t: npt.NDArray[np.generic], step_size: FloatArray
    ) -> tuple[float, float]:
        """One batch: outputs, slopes, gradients, update. Returns sums of hinge and loss."""
        outputs, slopes = self._room_for(len(x))
        for k, (weight, y) in enumerate(zip(self._weights, outputs)):
            np.matmul(outputs[k - 1] if k else x, weight, out=y)
            self._activate(k, y)
        hinge_sum, loss_sum = self._slopes_of(outputs[-1], t, slopes[-1])
        bias_gradient = len(self._parameters)
        for k in reversed(range(len(outputs))):
            self._through_activation(k, outputs[k], slopes[k])
            np.matmul((outputs[k - 1] if k else x).T, slopes[k], out=self._gradients[k])
            if self._biases[k] is not None:
                bias_gradient -= 1
                np.sum(slopes[k], axis=0, out=self._gradients[bias_gradient])
            if k:  # W slopesᵀ: OpenBLAS has no good kernel for slopes Wᵀ with a narrow batch
                slopes[k - 1][...] = (self._weights[k] @ slopes[k].T).T
        for k, arrays in enumerate(
            zip(self._parameters, self._means, self._squares, self._gradients)
        ):
            decay = self._decay if k < len(self._weights) else self._no_penalty
            adam_update(*(array.reshape(-1) for array in arrays), step_size, decay)
        return hinge_sum, loss_sum

    def _room_for(self, batch: int) -> tuple[list[FloatArray], list[FloatArray]]:
        """Outputs of all layers, and slopes of the loss with respect to them."""
        if batch not in self._room:
            shapes = [(batch, weight.shape[1]) for weight in self._weights]
            self._room[batch] = (
                [np.empty(shape, self._dtype) for shape in shapes],
                [np.empty(shape, self._dtype) for shape in shapes],
            )
        return self._room[batch]

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
