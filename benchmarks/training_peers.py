"""Other ways to train the same nets, as ``training.py`` runs them: torch in three, Keras.

Each is what a competent user would write, with data as tensors in memory: a loop over the batches
of a shuffled epoch, automatic differentiation, an optimizer's step. Frozen layers are part of the
net, as ``requires_grad=False`` or ``trainable=False``.
"""

import importlib.util
import os
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training_problems import Problem


class Peer(Protocol):
    """A net that somebody else's code trains."""

    def train(self, order: npt.NDArray[np.int64]) -> None:
        """Make steps with the lattices in this order, cut into batches."""

    def weights(self) -> list[npt.NDArray[np.float32]]:
        """The trained weights, (inputs, outputs) each."""


class Torch:
    """torch: ``nn.Linear``, autograd, ``torch.optim.Adam``."""

    def __init__(
        self, problem: Problem, *, fused: bool | None, compiled: bool, device: str = "cpu"
    ) -> None:
        settings = problem.settings
        self._batch_size = settings.batch_size
        x, y = (each.reshape(len(each), -1).astype(np.float32) for each in problem.member.data)
        self._x, self._y = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
        activations = {"linear": None, "tanh": nn.Tanh, "relu": nn.ReLU}
        modules: list[nn.Module] = []
        self._trained: list[nn.Linear] = []
        for k, layer in enumerate(problem.member.network.layers):
            inputs, outputs = layer.weight.shape
            linear = nn.Linear(inputs, outputs, bias=layer.bias is not None)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(layer.weight.T))
                if layer.bias is not None:
                    linear.bias.copy_(torch.from_numpy(layer.bias))
            if k >= problem.frozen:
                self._trained.append(linear)
            else:
                linear.requires_grad_(False)
            modules.append(linear)
            activation = activations[layer.activation]
            if activation is not None:
                modules.append(activation())
        self._model = nn.Sequential(*modules).to(device)
        parameters = [each for each in self._model.parameters() if each.requires_grad]
        self._optimizer = torch.optim.Adam(
            parameters, lr=settings.learning_rate, betas=settings.adam_betas,
            eps=settings.adam_epsilon, fused=fused,
        )  # fmt: skip
        mse, l1 = nn.MSELoss(), settings.l1

        def objective(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            output = self._model(x)
            hinge = settings.loss == "hinge"
            loss = (1 - y * output).clamp(min=0).mean() if hinge else mse(output, y)
            return loss + l1 * sum(linear.weight.abs().sum() for linear in self._trained)

        self._objective = torch.compile(objective) if compiled else objective

    def train(self, order: npt.NDArray[np.int64]) -> None:
        """See ``Peer``."""
        for batch in torch.from_numpy(order).to(self._x.device).split(self._batch_size):
            self._optimizer.zero_grad()
            self._objective(self._x[batch], self._y[batch]).backward()
            self._optimizer.step()

    def weights(self) -> list[npt.NDArray[np.float32]]:
        """See ``Peer``."""
        return [linear.weight.detach().cpu().numpy().T.copy() for linear in self._trained]


class Keras:
    """Keras: ``Sequential`` of ``Dense``, ``compile`` and ``fit``."""

    def __init__(self, problem: Problem) -> None:
        import keras

        settings = problem.settings
        self._batch_size, self._frozen = settings.batch_size, problem.frozen
        self._x, self._y = (
            each.reshape(len(each), -1).astype(np.float32) for each in problem.member.data
        )
        layers = problem.member.network.layers
        self._model = keras.Sequential([keras.Input((layers[0].weight.shape[0],))])
        for k, layer in enumerate(layers):
            trained = k >= problem.frozen
            self._model.add(
                keras.layers.Dense(
                    layer.weight.shape[1],
                    activation=layer.activation,
                    use_bias=layer.bias is not None,
                    kernel_regularizer=keras.regularizers.L1(settings.l1) if trained else None,
                    trainable=trained,
                )
            )
        for dense, layer in zip(self._model.layers, layers, strict=True):
            dense.set_weights([layer.weight, *([] if layer.bias is None else [layer.bias])])
        beta1, beta2 = settings.adam_betas
        adam = keras.optimizers.Adam(
            settings.learning_rate, beta1, beta2, epsilon=settings.adam_epsilon
        )
        self._model.compile(optimizer=adam, loss=settings.loss)

    def train(self, order: npt.NDArray[np.int64]) -> None:
        """See ``Peer``: ``fit``, which would shuffle by itself; so it takes the order it gets."""
        self._model.fit(
            self._x[order], self._y[order], batch_size=self._batch_size, shuffle=False, verbose=0
        )

    def weights(self) -> list[npt.NDArray[np.float32]]:
        """See ``Peer``."""
        return [dense.get_weights()[0] for dense in self._model.layers[self._frozen :]]


def keras_backend() -> str | None:
    """TensorFlow if it is installed, else torch; None without Keras. Told to Keras here."""
    if importlib.util.find_spec("keras") is None:
        return None
    found = importlib.util.find_spec("tensorflow") is not None
    os.environ.setdefault("KERAS_BACKEND", "tensorflow" if found else "torch")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return os.environ["KERAS_BACKEND"]


def keras_name(backend: str) -> str:
    """What stands in the table."""
    package = "tensorflow-cpu" if backend == "tensorflow" else backend
    try:
        return f"Keras {version('keras')}, {backend} {version(package)}, fit"
    except PackageNotFoundError:
        return f"Keras {version('keras')}, {backend}, fit"
