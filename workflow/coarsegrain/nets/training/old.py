"""Training of dense nets with Adam, in torch.

Objective = loss + λ Σ|w| over the weights that are trained (Shukla & Thakur 2021, II.F). Frozen
leading layers are applied once to the data instead of at every step. Randomness (start, shuffling)
comes from one explicit seed; on a CPU the same seed, thread count and torch build give the same
bits.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.optim.adam import adam

from coarsegrain.errors import CoarsegrainError
from coarsegrain.nets.losses import LOSSES, hinge
from coarsegrain.nets.network import Activation, Layer, Network

EVALUATION_BATCH = 2048
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class TrainingSettings:
    """How a net is trained.

    Attributes:
        loss: a key of ``losses.LOSSES``.
        l1: λ of the penalty λ Σ|w| (biases are not penalised).
        learning_rate: of Adam.
        adam_betas: decay rates of Adam's two moments.
        adam_epsilon: ε, added to the bias-corrected √v (torch's convention; Keras adds it to the
            uncorrected one).
        batch_size: lattices per step; the last batch of an epoch may be smaller.
        epochs: passes over the training data, at most.
        stop_at_loss: end after the first epoch whose mean training loss is at most this.
    """

    loss: str
    l1: float
    learning_rate: float
    adam_betas: tuple[float, float]
    adam_epsilon: float
    batch_size: int
    epochs: int
    stop_at_loss: float | None = None


class TrainingError(CoarsegrainError):
    """The numbers of a training went wrong."""


def glorot_network(
    sizes: Sequence[int], activations: Sequence[Activation], *, biases: bool, seed: int
) -> Network:
    """Draw a net's starting weights: uniform in ±√(6 / (inputs + outputs)), biases 0.

    X. Glorot and Y. Bengio, AISTATS 2010, eq. 16; Keras' default.
    """
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, outputs, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        limit = math.sqrt(6 / (inputs + outputs))
        weight = rng.uniform(-limit, limit, size=(inputs, outputs))
        layers.append(Layer(weight, np.zeros(outputs) if biases else None, activation))
    return Network(tuple(layers))


def train(
    network: Network,
    data: tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]],
    validation: tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]],
    settings: TrainingSettings,
    *,
    seed: int,
    frozen: int = 0,
    device: str = "cpu",
    precision: str = "float32",
    progress: Callable[[int, float], None] | None = None,
) -> tuple[Network, pd.DataFrame]:
    """Train a net's layers from ``frozen`` on.

    Args:
        network: starting weights.
        data: inputs (n, …) and targets (n, …); flattened here.
        validation: the same for validation.
        settings: loss, optimizer, length.
        seed: of the shuffling.
        frozen: number of leading layers that stay as they are.
        device: ``cpu`` or ``cuda``.
        precision: ``float32`` or ``float64``.
        progress: called after every epoch with its number (from 1) and training objective.
    Returns:
        The trained net, and its history: one row per epoch and split (``train``: mean over the
        epoch's steps, as Keras reports it; ``validation``: at the epoch's end) with the columns
        epoch, split, hinge, loss, penalty, objective.
    Raises:
        TrainingError: the objective is no longer a finite number; names the epoch.
    """
    dtype = DTYPES[precision]
    encoder = Network(network.layers[:frozen]) if frozen else None
    inputs, targets = _resident(data, encoder, dtype, device)
    validation_inputs, validation_targets = _resident(validation, encoder, dtype, device)

    trainable = network.layers[frozen:]
    weights = [_parameter(layer.weight, dtype, device) for layer in trainable]
    biases = [
        None if layer.bias is None else _parameter(layer.bias, dtype, device) for layer in trainable
    ]
    activations = [layer.activation for layer in trainable]
    optimizer = _Adam([*weights, *(bias for bias in biases if bias is not None)], settings)
    loss_of = LOSSES[settings.loss]
    shuffling = torch.Generator().manual_seed(seed)

    def losses_on(x: torch.Tensor, t: torch.Tensor) -> tuple[float, float]:
        """Hinge and loss over a whole split."""
        totals = np.zeros(2)
        with torch.no_grad():
            for start in range(0, len(x), EVALUATION_BATCH):
                batch = t[start : start + EVALUATION_BATCH]
                y = _forward(
                    x[start : start + EVALUATION_BATCH].to(dtype), weights, biases, activations
                )
                totals += len(batch) * np.array([float(hinge(y, batch)), float(loss_of(y, batch))])
        return float(totals[0] / len(x)), float(totals[1] / len(x))

    rows: list[dict[str, float | int | str]] = []
    for epoch in range(1, settings.epochs + 1):
        order = torch.randperm(len(inputs), generator=shuffling).to(device)
        total = torch.zeros(2, dtype=torch.float64, device=device)
        for start in range(0, len(inputs), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            t = targets[batch]
            y = _forward(inputs[batch].to(dtype), weights, biases, activations)
            loss = loss_of(y, t)
            gradients = torch.autograd.grad(loss, optimizer.parameters)
            with torch.no_grad():
                for weight, gradient in zip(weights, gradients, strict=False):  # biases come last
                    gradient.add_(weight.sign(), alpha=settings.l1)  # of λ Σ|w|, with sign(0) = 0
                optimizer.step(gradients)
                total[0] += len(batch) * (loss if settings.loss == "hinge" else hinge(y, t))
                total[1] += len(batch) * loss
        penalty = settings.l1 * float(
            sum(w.detach().abs().sum(dtype=torch.float64) for w in weights)
        )
        means = total.cpu().numpy() / len(inputs)
        for split, (hinge_mean, loss_mean) in (
            ("train", (float(means[0]), float(means[1]))),
            ("validation", losses_on(validation_inputs, validation_targets)),
        ):
            rows.append(
                {"epoch": epoch, "split": split, "hinge": hinge_mean, "loss": loss_mean,
                 "penalty": penalty, "objective": loss_mean + penalty}
            )  # fmt: skip
        if not math.isfinite(means[1] + penalty):
            raise TrainingError(
                f"the training objective is {means[1] + penalty} in epoch {epoch}; "
                f"lower nets.learning_rate or nets.l1 in the config."
            )
        if progress is not None:
            progress(epoch, float(means[1]) + penalty)
        if settings.stop_at_loss is not None and means[1] <= settings.stop_at_loss:
            break

    trained = tuple(
        Layer(_array(weight), None if bias is None else _array(bias), activation)
        for weight, bias, activation in zip(weights, biases, activations, strict=True)
    )
    kept = tuple(
        Layer(layer.weight.astype(precision), layer.bias, layer.activation)
        for layer in network.layers[:frozen]
    )
    return Network(kept + trained), pd.DataFrame(rows)


class _Adam:
    """``torch.optim.Adam(fused=True)``, by the function behind it.

    The class imports torch's compiler at its first step, a second that every job would pay.
    """

    def __init__(self, parameters: Sequence[torch.Tensor], settings: TrainingSettings) -> None:
        self.parameters = list(parameters)
        self.settings = settings
        self.means = [torch.zeros_like(each) for each in parameters]
        self.squares = [torch.zeros_like(each) for each in parameters]
        self.steps = [torch.zeros((), dtype=torch.float32, device=p.device) for p in parameters]

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        beta1, beta2 = self.settings.adam_betas
        adam(
            self.parameters, list(gradients), self.means, self.squares, [], self.steps,
            fused=True, amsgrad=False, beta1=beta1, beta2=beta2, lr=self.settings.learning_rate,
            weight_decay=0.0, eps=self.settings.adam_epsilon, maximize=False,
        )  # fmt: skip


def _forward(
    x: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor | None],
    activations: Sequence[Activation],
) -> torch.Tensor:
    for weight, bias, activation in zip(weights, biases, activations, strict=True):
        x = x @ weight if bias is None else torch.addmm(bias, x, weight)
        if activation == "tanh":
            x = torch.tanh(x)
        elif activation == "relu":
            x = torch.relu(x)
    return x


def _resident(
    data: tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]],
    encoder: Network | None,
    dtype: torch.dtype,
    device: str,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets as tensors on the device: spins stay int8, a quarter of float32."""
    inputs, targets = (each.reshape(len(each), -1) for each in data)
    x = torch.from_numpy(inputs if encoder is None else encoder(inputs)).to(device)
    t = torch.from_numpy(targets).to(device)
    return x, t if t.dtype == torch.int8 else t.to(dtype)


def _parameter(values: npt.NDArray[np.floating], dtype: torch.dtype, device: str) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype, device=device, requires_grad=True)


def _array(tensor: torch.Tensor) -> npt.NDArray[np.floating]:
    values: npt.NDArray[np.floating] = tensor.detach().cpu().numpy()
    return values
