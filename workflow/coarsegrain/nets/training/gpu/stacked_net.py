"""Several members of a dense net on one device: their layers, and the kernels of a step.

All parameters of a member are one row of one tensor. One kernel writes sign(w) to where the
gradients go, the matrix products that compute these add λ times what is there, and one kernel makes
Adam's update. Everything is as in ``cpu.dense`` but for the order of sums.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from coarsegrain.nets.network import Layer
from coarsegrain.nets.training.settings import TrainingSettings
from coarsegrain.nets.training.trainer import FloatArray

#: Every parameter starts at a multiple of so many numbers, so that kernels can load 16 bytes at
#: once. The numbers in between are 0 and stay so.
ALIGNMENT = 64
#: Tensors that one launch of torch's fused Adam takes at most (``MultiTensorApply.cuh`` of torch
#: 2.13, built for CUDA 13). Each gets a block per 65,536 numbers, so rows are cut into pieces, lest
#: three members of Model-1 keep 60 of a GPU's 132 multiprocessors busy.
ADAM_TENSORS = 252


class StackedNet:
    """Layers and moments of all members, and room for gradients.

    Args:
        members: the layers of each; alike in shapes, biases and activations.
        settings: loss, penalty, optimizer.
        dtype: of the weights.
        device: where they are.

    Attributes:
        parameters, means, squares: (members, numbers), all that a step changes.
    """

    def __init__(
        self,
        members: Sequence[Sequence[Layer]],
        settings: TrainingSettings,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._settings = settings
        self._activations = [layer.activation for layer in members[0]]
        self._has_bias = [layer.bias is not None for layer in members[0]]
        self._shapes = [each.shape for each in _parameters_of(members[0])]
        sizes = [-(-math.prod(shape) // ALIGNMENT) * ALIGNMENT for shape in self._shapes]
        *self._starts, total = accumulate(sizes, initial=0)
        self._one = torch.ones((), dtype=dtype, device=device)
        zeros = torch.zeros((len(members), total), dtype=dtype, device=device)
        self._hold(zeros, zeros.clone(), zeros.clone())
        for k, layers in enumerate(members):
            for view, values in zip(self._views(self.parameters), _parameters_of(layers)):
                view[k].copy_(torch.tensor(values))

    def _hold(self, parameters: Tensor, means: Tensor, squares: Tensor) -> None:
        self.parameters, self.means, self.squares = parameters, means, squares
        self._gradients = torch.zeros_like(parameters)
        self._layers = self._by_layer(self.parameters)
        self._layer_gradients = self._by_layer(self._gradients)
        self._adam_pieces = [
            self._pieces(each) for each in (parameters, self._gradients, means, squares)
        ]

    def _pieces(self, rows: Tensor) -> list[Tensor]:
        """The rows, cut so that one launch takes all: as many pieces of each."""
        if not len(rows):
            return []
        total = rows.shape[1] // ALIGNMENT
        length = -(-total // max(1, ADAM_TENSORS // len(rows))) * ALIGNMENT
        return [row[at : at + length] for row in rows for at in range(0, len(row), length)]

    def _views(self, rows: Tensor) -> list[Tensor]:
        """(members, …) for every parameter: first all weights, then all biases."""
        return [
            rows[:, start : start + math.prod(shape)].view(len(rows), *shape)
            for start, shape in zip(self._starts, self._shapes)
        ]

    def _by_layer(self, rows: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """Weight (members, inputs, outputs) and bias (members, outputs) of every layer."""
        views = self._views(rows)
        biases = iter(views[len(self._activations) :])
        return [
            (weight, next(biases) if has else None) for weight, has in zip(views, self._has_bias)
        ]

    def outputs(self, x: Tensor, last: Tensor | None = None) -> list[Tensor]:
        """Outputs of every layer.

        Args:
            x: (members, n, inputs).
            last: where those of the last layer go.
        Returns:
            (members, n, outputs) each.
        """
        y, outputs = x, list[Tensor]()
        for k, (weight, bias) in enumerate(self._layers):
            y = torch.bmm(y, weight, out=last if k == len(self._layers) - 1 else None)
            if bias is not None:
                y.add_(bias[:, None])
            if self._activations[k] == "tanh":
                y.tanh_()
            elif self._activations[k] == "relu":
                y.relu_()
            outputs.append(y)
        return outputs

    def step(self, x: Tensor, t: Tensor, push: Tensor, y: Tensor, counts: Tensor) -> None:
        """One step of every member, in kernels alone: a graph can hold it.

        Args:
            x: (members, batch, inputs).
            t: (members, batch, outputs) targets.
            push: -t / (batch * outputs), the slopes of an active hinge.
            y: (members, batch, outputs), where the outputs go.
            counts: (members,) float32, the step's number from 1.
        """
        outputs = [x, *self.outputs(x, y)]
        slopes = self._slopes(y, t, push)
        if self._settings.l1:
            torch.sign(self.parameters, out=self._gradients)
        for k in reversed(range(len(self._layers))):
            if self._activations[k] == "tanh":
                slopes = torch.ops.aten.tanh_backward(slopes, outputs[k + 1])
            elif self._activations[k] == "relu":
                slopes = torch.ops.aten.threshold_backward(slopes, outputs[k + 1], 0)
            gradient, bias_gradient = self._layer_gradients[k]
            gradient.baddbmm_(outputs[k].transpose(1, 2), slopes, beta=self._settings.l1)
            if bias_gradient is not None:
                torch.sum(slopes, dim=1, out=bias_gradient)
            if k:
                slopes = torch.bmm(slopes, self._layers[k][0].transpose(1, 2))
        self._update(counts)

    def _slopes(self, y: Tensor, t: Tensor, push: Tensor) -> Tensor:
        """Slopes of the mean loss over a batch with respect to the outputs (``loss_gradients``)."""
        if self._settings.loss == "mse":
            return (y - t).mul_(2 / y[0].numel())
        margin = torch.addcmul(self._one, t, y, value=-1)
        if self._settings.loss == "squared_hinge":
            return margin.clamp_(min=0).mul_(push).mul_(2)
        # The hinge pushes from margin 0 on. There is one kernel for "above a threshold", and
        # 1 - t y cannot lie between this one and 0.
        below_zero = -torch.finfo(y.dtype).tiny
        slopes: Tensor = torch.ops.aten.threshold_backward(push, margin, below_zero)
        return slopes

    def _update(self, counts: Tensor) -> None:
        """Adam, in the kernel of ``torch.optim.Adam(fused=True)``.

        On a GPU and in float32 that kernel computes the corrections 1 - βᵗ in float32, too: with
        β₂ = 0.999 the size of step t is off by up to 3e-5 / t of itself.
        """
        beta1, beta2 = self._settings.adam_betas
        parameters, gradients, means, squares = self._adam_pieces
        pieces = len(parameters) // len(counts)
        torch._fused_adam_(
            parameters,
            gradients,
            means,
            squares,
            [],
            [count for count in counts.unbind() for _ in range(pieces)],
            lr=self._settings.learning_rate,
            beta1=beta1,
            beta2=beta2,
            weight_decay=0.0,
            eps=self._settings.adam_epsilon,
            amsgrad=False,
            maximize=False,
        )

    def loss_sums(self, y: Tensor, t: Tensor) -> Tensor:
        """Sums of hinge and loss, float64.

        Args:
            y: (k, members, n, outputs) outputs.
            t: targets of the same shape.
        Returns:
            (members, 2).
        """
        margin = (1 - t * y).clamp_(min=0)
        loss = margin
        if self._settings.loss == "squared_hinge":
            loss = margin**2
        elif self._settings.loss == "mse":
            loss = (y - t) ** 2
        sums = [each.sum(dim=(0, 2, 3), dtype=torch.float64) for each in (margin, loss)]
        return torch.stack(sums, dim=1)

    def weight_sizes(self) -> Tensor:
        """Σ|w| over all weights: (members,) float64."""
        sums = [weight.abs().sum(dim=(1, 2), dtype=torch.float64) for weight, _ in self._layers]
        return torch.stack(sums).sum(dim=0)

    def layers(self, k: int) -> tuple[Layer, ...]:
        """The layers of member ``k``: a copy."""
        return tuple(
            Layer(to_numpy(weight[k]), None if bias is None else to_numpy(bias[k]), activation)
            for (weight, bias), activation in zip(self._layers, self._activations)
        )

    def named(self, k: int) -> dict[str, Tensor]:
        """Parameters and moments of member ``k``, in place, named as in a checkpoint."""
        kinds = {"weight": self.parameters, "mean": self.means, "square": self.squares}
        return {
            f"{kind}.{number}": each[k]
            for kind, rows in kinds.items()
            for number, each in enumerate(self._views(rows))
        }

    def keep(self, members: Tensor) -> None:
        """Go on with these members only, elsewhere in memory."""
        self._hold(self.parameters[members], self.means[members], self.squares[members])


def to_numpy(tensor: Tensor) -> FloatArray:
    """A copy in the host's memory; waits for the device."""
    values: FloatArray = tensor.cpu().numpy().copy()
    return values


def _parameters_of(layers: Sequence[Layer]) -> list[FloatArray]:
    """All weights, then all biases: the order of checkpoints."""
    biases = [layer.bias for layer in layers if layer.bias is not None]
    return [*(layer.weight for layer in layers), *biases]
