"""Training of a net of one linear layer on a GPU, through CuPy: ``shallow.cu``.

Weights and losses are those of ``cpu.shallow.ShallowTrainer``, bit for bit. All members train in
one launch per epoch, a warp of 32 threads for every output unit of every member. Data, weights and
moments stay on the device; what goes there is the order of an epoch, what comes back are its sums
of losses and, for the penalty, the weights. CuPy is imported only when a trainer is made.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from coarsegrain.device import import_cupy
from coarsegrain.errors import DeviceError
from coarsegrain.nets.network import Layer
from coarsegrain.nets.training.adam import adam_constants, step_sizes
from coarsegrain.nets.training.gpu.shallow_layout import LANES, SHARED, Sizes, rows
from coarsegrain.nets.training.settings import Member, TrainingSettings
from coarsegrain.nets.training.trainer import FloatArray, Order

SOURCE = Path(__file__).with_name("shallow.cu")


@cache
def _kernels(cupy: Any, source: str, sizes: Sizes) -> Any:
    """The compiled kernels: seconds the first time, then from CuPy's own cache."""
    module = cupy.RawModule(code=source, backend="nvrtc", options=sizes.options)
    try:
        module.compile()
    except (cupy.cuda.compiler.CompileException, OSError, RuntimeError) as error:
        raise DeviceError(
            f"{SOURCE.name} cannot be compiled for a net of {sizes.inputs} inputs and "
            f"{sizes.units} units on this device; if NVRTC is missing, install "
            f"envs/requirements-gpu.lock, else use cpu. The compiler says: {error}"
        ) from error
    return module


class ShallowCudaTrainer:
    """Weights, moments and data of all members on a device; a ``Trainer``.

    Args:
        members: of one net, with equally many lattices each.
        settings: loss, optimizer, length.
        precision: ``float32`` or ``float64``.
    Raises:
        DeviceError: CuPy or its compiler is missing, or the device has too little memory.
        ValueError: members differ in their number of lattices.
    """

    def __init__(
        self, members: Sequence[Member], settings: TrainingSettings, *, precision: str
    ) -> None:
        numbers = {(len(each.data[0]), len(each.validation[0])) for each in members}
        if len(numbers) != 1:
            raise ValueError(
                "members that train side by side on a GPU must have equally many lattices to "
                f"train with and to validate with; they have {sorted(numbers)}."
            )
        ((self._n, self._validation_n),) = numbers
        self._cupy, self._settings = import_cupy(), settings
        self._constants = adam_constants(settings, precision)
        inputs, units = members[0].network.layers[0].weight.shape
        shared = self._cupy.cuda.Device().attributes["MaxSharedMemoryPerBlockOptin"]
        batch = min(settings.batch_size, self._n)
        self._sizes = Sizes(inputs, units, batch, precision, shared)
        self._kernels = _kernels(self._cupy, SOURCE.read_text(), self._sizes)
        #: Where the members that are still trained lie in the device's arrays.
        self._slots = np.arange(len(members), dtype=np.uint32)
        try:
            self._put_on_device(members)
        except self._cupy.cuda.memory.OutOfMemoryError as error:
            raise DeviceError(
                f"GPU memory does not hold weights and lattices of {len(members)} nets of {inputs} "
                f"inputs and {units} units ({error}); free memory on the GPU, train fewer members "
                "at once, or use cpu."
            ) from error

    def _put_on_device(self, members: Sequence[Member]) -> None:
        cupy, sizes = self._cupy, self._sizes
        shape = (len(members), sizes.units, sizes.width)
        self._w, self._m, self._v = (cupy.zeros(shape, dtype=sizes.precision) for _ in range(3))
        data = rows(members[0].data, sizes)
        self._rows = cupy.empty((len(members), *data.shape), dtype=np.uint32)
        self._ordered = cupy.empty(self._rows.shape, dtype=np.uint32)
        data = rows(members[0].validation, sizes)
        self._validation = cupy.empty((len(members), *data.shape), dtype=np.uint32)
        for k, member in enumerate(members):
            self._rows[k].set(rows(member.data, sizes))
            self._validation[k].set(rows(member.validation, sizes))
            self._w[k].set(self._padded(member.network.layers[0].weight))

    def _padded(self, values: FloatArray) -> FloatArray:
        """(units, width), of (inputs, units)."""
        by_unit = np.zeros((self._sizes.units, self._sizes.width), dtype=self._sizes.precision)
        by_unit[:, : self._sizes.inputs] = values.T
        return by_unit

    def run_epoch(self, orders: Sequence[Order], steps: Sequence[int]) -> FloatArray:
        """Train every member for an epoch, in one launch."""
        sizes, members, n = self._sizes, len(self._slots), self._n
        order = self._cupy.asarray(np.stack(orders).astype(np.uint32))
        arguments = (self._rows, self._on_device(), order, self._ordered)
        self._launch("put_in_order", members * n, *arguments, np.uint32(members), np.uint32(n))
        step_numbers = self._cupy.asarray(np.stack([self._step_sizes(step) for step in steps]))
        losses = self._cupy.empty((members, sizes.units), dtype=np.float64)
        self._launch(
            "train", members * sizes.units, self._w, self._m, self._v, self._ordered,
            self._on_device(), step_numbers, losses, np.uint32(members), np.uint32(n),
            *self._constants, shared_bytes=sizes.state_bytes if sizes.storage == SHARED else 0,
        )  # fmt: skip
        return self._means(losses, n)

    def _step_sizes(self, first: int) -> FloatArray:
        """(steps, 3) of an epoch: a and e of Adam, and the slope of one output."""
        n, batch = self._n, self._sizes.batch
        number = -(-n // batch)
        lattices = np.minimum(batch, n - batch * np.arange(number))
        slopes = (1 / (lattices * self._sizes.units)).astype(self._sizes.precision)
        adam = step_sizes(self._settings, first, number, self._sizes.precision)
        return np.concatenate([adam, slopes[:, None]], axis=1)

    def evaluate(self) -> FloatArray:
        """(members, 2) hinge and loss on the members' validation data."""
        members, units = len(self._slots), self._sizes.units
        losses = self._cupy.empty((members, units), dtype=np.float64)
        arguments = (self._w, self._validation, self._on_device(), losses)
        numbers = (np.uint32(members), np.uint32(self._validation_n))
        self._launch("evaluate", members * units, *arguments, *numbers)
        return self._means(losses, self._validation_n)

    def _means(self, losses: Any, n: int) -> FloatArray:
        """(members, 2) hinge and loss, here the same, of sums by unit over n lattices."""
        hinge = [float(each.sum()) / (n * self._sizes.units) for each in losses.get()]
        return np.array([hinge, hinge]).T

    def _on_device(self) -> Any:
        return self._cupy.asarray(self._slots)

    def _launch(self, name: str, warps: int, *arguments: Any, shared_bytes: int = 0) -> None:
        kernel = self._kernels.get_function(name)
        if shared_bytes:
            kernel.max_dynamic_shared_size_bytes = shared_bytes
        grid, block = (-(-warps // self._sizes.warps),), (LANES * self._sizes.warps,)
        kernel(grid, block, arguments, shared_mem=shared_bytes)

    def penalties(self) -> FloatArray:
        """(members,) λ Σ|w|, summed on the host, by the same numpy as on a CPU."""
        weights = (self._w[slot].get() for slot in self._slots.tolist())
        return np.array(
            [self._settings.l1 * float(np.abs(w).sum(dtype=np.float64)) for w in weights]
        )

    def layers(self, k: int) -> tuple[Layer, ...]:
        """The layer of member ``k``, copied from the device."""
        return (Layer(self._of_member(self._w, k)),)

    def state(self, k: int) -> dict[str, FloatArray]:
        """Weights and moments of member ``k``, (inputs, units) each, for a checkpoint."""
        return {f"{name}.0": self._of_member(values, k) for name, values in self._named()}

    def restore(self, k: int, tensors: Mapping[str, FloatArray]) -> None:
        """Put a state of member ``k`` on the device."""
        for name, values in self._named():
            values[int(self._slots[k])].set(self._padded(tensors[f"{name}.0"]))

    def keep(self, members: Sequence[int]) -> None:
        """Go on with these members only; the others stay in memory and are trained no more."""
        self._slots = self._slots[np.array(members, dtype=np.intp)]

    def _of_member(self, values: Any, k: int) -> FloatArray:
        """(inputs, units) of the device's (slots, units, width)."""
        by_unit: FloatArray = values[int(self._slots[k])].get()
        return np.ascontiguousarray(by_unit[:, : self._sizes.inputs].T)

    def _named(self) -> tuple[tuple[str, Any], ...]:
        return ("weight", self._w), ("mean", self._m), ("square", self._v)
