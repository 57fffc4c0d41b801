"""Training of several members of a dense net at once, on a GPU.

A step of one member keeps a GPU busy for a few microseconds, less than it takes to launch its
kernels. So members are stacked along a leading axis and make their steps together
(``stacked_net``), runs of steps are CUDA graphs (``cuda_graphs``), and what can be done for all
batches of a run at once, such as gathering lattices or summing losses, is not done step by step.

On a CPU the same code runs without graphs: this is how it is tested where there is no GPU.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training.gpu.cuda_graphs import captured, runs_of_steps
from coarsegrain.nets.training.gpu.stacked_net import StackedNet, to_numpy
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.nets.training.trainer import EVALUATION_BATCH, FloatArray, Order

#: Steps of a run, at most: the kernels that a run has besides its steps are then few beside them.
LONGEST_RUN = 64
#: Numbers in the inputs or targets of a run, at most: bounds the memory.
LARGEST_RUN = 2**24


@dataclass(frozen=True)
class _Run:
    """A run of steps: the tensors it reads, and a function that makes it.

    Attributes:
        lattices: (steps, members, batch) int64, rows of the resident data.
        counts: (steps, members) float32, the steps' numbers from 1, as torch's Adam takes them.
            They are exact up to 2²⁴; by then both of Adam's corrections are 1.
        make: makes the steps.
    """

    lattices: Tensor
    counts: Tensor
    make: Callable[[], None]


class StackedTrainer:
    """The trained layers, moments and data of all members: a ``Trainer``.

    Args:
        members: alike in sizes and activations of their nets and in numbers of lattices.
        settings: loss, optimizer, batch size.
        frozen: number of leading layers that stay as they are; applied to the data once.
        precision: ``float32`` or ``float64``.
        device: ``cuda``, or ``cpu``.

    Attributes:
        graphs: whether runs of steps become CUDA graphs, as they do on ``cuda``.

    Raises:
        ValueError: the members are not alike.
    """

    def __init__(
        self,
        members: Sequence[Member],
        settings: TrainingSettings,
        *,
        frozen: int,
        precision: str,
        device: str = "cuda",
    ) -> None:
        if len({_likeness(member) for member in members}) != 1:
            raise ValueError(
                "members that train side by side must be alike, but these differ in their layers "
                "or in their numbers of lattices; train them one by one."
            )
        # TF32 has 11 bits. Off is torch's default, but a setting of the process, not of a product.
        torch.backends.cuda.matmul.allow_tf32 = False
        self._settings, self._device = settings, torch.device(device)
        self._dtype: torch.dtype = getattr(torch, precision)
        self.graphs = self._device.type == "cuda"
        networks = [member.network for member in members]
        trained = [network.layers[frozen:] for network in networks]
        self._net = StackedNet(trained, settings, self._dtype, self._device)
        encoders = [Network(network.layers[:frozen]) if frozen else None for network in networks]
        self._data = self._resident([member.data for member in members], encoders)
        self._validation = self._resident([member.validation for member in members], encoders)
        self._number, self._validation_number = (
            len(each[0]) for each in (members[0].data, members[0].validation)
        )
        # Whose data a member trains on: what others had stays where it is when they leave.
        self._places = torch.arange(len(members), device=self._device)
        self._forget_runs()

    def _forget_runs(self) -> None:
        """Graphs hold the addresses of tensors, so they end when members leave."""
        self._runs: dict[tuple[int, int], _Run] = {}
        self._sums = torch.zeros((len(self._places), 2), dtype=torch.float64, device=self._device)

    def _resident(
        self, data: Sequence[Data], encoders: Sequence[Network | None]
    ) -> tuple[Tensor, Tensor]:
        """Inputs, as the first trained layer sees them, and targets: a row per lattice, on device.

        Spins stay int8.
        """

        def on_device(values: npt.NDArray[np.generic]) -> Tensor:
            dtype = torch.int8 if values.dtype == np.int8 else self._dtype
            return torch.tensor(values.reshape(len(values), -1), dtype=dtype, device=self._device)

        inputs = [
            each if encoder is None else encoder(each) for (each, _), encoder in zip(data, encoders)
        ]
        return (
            torch.cat([on_device(each) for each in inputs]),
            torch.cat([on_device(targets) for _, targets in data]),
        )

    def run_epoch(self, orders: Sequence[Order], steps: Sequence[int]) -> FloatArray:
        """Train every member for an epoch.

        The host uploads the order and the numbers of the steps, launches, and waits at the end.
        """
        batch_size = self._settings.batch_size
        order = torch.tensor(np.stack(orders), device=self._device)
        order += self._places[:, None] * self._number
        numbers = np.arange(1, -(-self._number // batch_size) + 1)[:, None] + np.array(steps)
        counts = torch.tensor(numbers, dtype=torch.float32, device=self._device)
        self._sums.zero_()
        lattice, step = 0, 0
        for length, batch in runs_of_steps(self._number, batch_size, self._longest_run()):
            run = self._run(length, batch)
            of_run = order[:, lattice : lattice + length * batch].view(-1, length, batch)
            run.lattices.copy_(of_run.transpose(0, 1))
            run.counts.copy_(counts[step : step + length])
            run.make()
            lattice, step = lattice + length * batch, step + length
        return to_numpy(self._sums) / (self._number * self._data[1].shape[1])

    def _longest_run(self) -> int:
        lattices = len(self._places) * self._settings.batch_size
        numbers = lattices * max(each.shape[1] for each in self._data)
        return max(1, min(LONGEST_RUN, LARGEST_RUN // numbers))

    def _run(self, length: int, batch: int) -> _Run:
        """The run of so many steps with batches of that size; captured when first asked for."""
        if (length, batch) not in self._runs:
            shape = (length, len(self._places), batch)
            lattices = torch.zeros(shape, dtype=torch.int64, device=self._device)
            counts = torch.ones(shape[:2], dtype=torch.float32, device=self._device)

            def make() -> None:
                self._make_steps(lattices, counts)

            changed = (self._net.parameters, self._net.means, self._net.squares, self._sums)
            self._runs[length, batch] = _Run(
                lattices, counts, captured(make, changed) if self.graphs else make
            )
        return self._runs[length, batch]

    def _make_steps(self, lattices: Tensor, counts: Tensor) -> None:
        """A run of steps: kernels alone, which find all that varies in tensors' contents."""
        x, t = self._gathered(self._data, lattices)
        y = torch.empty_like(t)
        push = t * (-1 / t[0, 0].numel())
        for k in range(len(lattices)):
            self._net.step(x[k], t[k], push[k], y[k], counts[k])
        self._sums.add_(self._net.loss_sums(y, t))

    def _gathered(self, data: tuple[Tensor, Tensor], lattices: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets of lattices (…): (…, numbers), in the precision of the weights."""
        inputs, targets = (
            each.index_select(0, lattices.flatten()).to(self._dtype).view(*lattices.shape, -1)
            for each in data
        )
        return inputs, targets

    def evaluate(self) -> FloatArray:
        """(members, 2) hinge and loss on the members' validation data."""
        sums = torch.zeros_like(self._sums)
        first = self._places[:, None] * self._validation_number
        for start in range(0, self._validation_number, EVALUATION_BATCH):
            stop = min(start + EVALUATION_BATCH, self._validation_number)
            lattices = first + torch.arange(start, stop, device=self._device)
            x, t = self._gathered(self._validation, lattices)
            sums += self._net.loss_sums(self._net.outputs(x)[-1][None], t[None])
        return to_numpy(sums) / (self._validation_number * self._validation[1].shape[1])

    def penalties(self) -> FloatArray:
        """(members,) λ Σ|w|."""
        return self._settings.l1 * to_numpy(self._net.weight_sizes())

    def layers(self, k: int) -> tuple[Layer, ...]:
        """The trained layers of member ``k``: a copy."""
        return self._net.layers(k)

    def state(self, k: int) -> dict[str, FloatArray]:
        """Weights, biases and moments of member ``k``, named and shaped as by ``DenseTrainer``."""
        return {name: to_numpy(each) for name, each in self._net.named(k).items()}

    def restore(self, k: int, tensors: Mapping[str, FloatArray]) -> None:
        """Take over a state of member ``k``, of this trainer or of a ``DenseTrainer``."""
        named = self._net.named(k)
        for name, each in named.items():
            if tensors[name].shape != each.shape:
                raise ValueError(
                    f"{name} has shape {tensors[name].shape}; that of this net is "
                    f"{tuple(each.shape)}."
                )
        for name, each in named.items():
            each.copy_(torch.tensor(tensors[name]))  # in place: graphs stay valid

    def keep(self, members: Sequence[int]) -> None:
        """Go on with these members only; they are numbered anew, in this order."""
        chosen = torch.tensor(members, dtype=torch.int64, device=self._device)
        self._net.keep(chosen)
        self._places = self._places[chosen]
        self._forget_runs()


def _likeness(member: Member) -> tuple[object, ...]:
    """What has to be equal for members to make their steps together."""
    layers = [
        (layer.weight.shape, layer.bias is None, layer.activation)
        for layer in member.network.layers
    ]
    arrays = (*member.data, *member.validation)
    return (*layers, *((each.shape, each.dtype == np.int8) for each in arrays))
