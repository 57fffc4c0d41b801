"""Training of a net of one linear layer, output unit by output unit, on a CPU.

Hinge loss averaged over outputs, L1 and Adam are all elementwise, so every output unit is a
problem of its own. Lattices are kept as bits. There are two ways to train with the same bits of
all results: unit by unit (``shallow_bits``), for AVX-512, and some units together
(``shallow_tiles``), for processors with fewer or narrower registers. The order of all sums is
fixed and independent of threads and machine (``simd``).
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.network import Layer
from coarsegrain.nets.training.adam import adam_constants, step_sizes
from coarsegrain.nets.training.cpu import shallow_bits, shallow_tiles
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.processor import has_fused_multiply_add, vector_bits

WORD = 64
FloatArray = npt.NDArray[np.floating]


def is_shallow(member: Member, settings: TrainingSettings, frozen: int) -> bool:
    """Whether this trainer is made for a net: one linear layer, ±1 in, ±1 or 0 out, hinge loss."""
    layers = member.network.layers
    inputs, targets = member.data
    return (
        frozen == 0
        and len(layers) == 1
        and layers[0].bias is None
        and layers[0].activation == "linear"
        and settings.loss == "hinge"
        and inputs.dtype == targets.dtype == np.int8
        and bool((np.abs(inputs) == 1).all())
        and all(bool((np.abs(each) == 1).all()) for each in member.validation[:1])
    )


def are_tiles_faster(precision: str, batch_size: int) -> bool:
    """Whether ``shallow_tiles`` is the faster way here, and can be used."""
    return (
        vector_bits() < 512
        and has_fused_multiply_add()
        and precision == "float32"
        and batch_size <= shallow_tiles.LARGEST_BATCH
    )


def packed(
    spins: npt.NDArray[np.int8], places: npt.NDArray[np.int64], spare: int = 0
) -> npt.NDArray[np.uint64]:
    """Lattices as bits, 1 for +1.

    Args:
        spins: (n, …) ±1.
        places: (inputs,) of their bits.
        spare: rows of zeros to add.
    Returns:
        (n + spare, words): bit p is bit p % 64 of word p // 64; bits of no input are 0.
    """
    words = -(-len(places) // WORD)
    flat = np.zeros((len(spins) + spare, words * WORD), dtype=bool)
    flat[: len(spins), places] = spins.reshape(len(spins), -1) > 0
    return np.packbits(flat, axis=1, bitorder="little").view("<u8")


class ShallowTrainer:
    """The weights and moments of one member of a shallow net, and its data as bits."""

    def __init__(
        self, member: Member, settings: TrainingSettings, *, precision: str, threads: int
    ) -> None:
        (layer,) = member.network.layers
        self._settings, self._threads = settings, threads
        self._inputs, self._units = layer.weight.shape
        width = -(-self._inputs // WORD) * WORD
        tiles = are_tiles_faster(precision, settings.batch_size)
        self._kernels = shallow_tiles if tiles else shallow_bits
        self._places = self._kernels.places(self._inputs, width)
        self._words, self._targets = self._resident(member.data)
        self._validation_words, self._validation_targets = self._resident(member.validation)
        self._order = np.empty_like(self._words)
        self._order_targets = np.empty_like(self._targets)
        self._w, self._m, self._v = (
            np.zeros((self._units, width), dtype=precision) for _ in range(3)
        )
        self._w[:, self._places] = layer.weight.T
        self._constants = adam_constants(settings, precision)

    def _resident(self, data: Data) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int8]]:
        """Inputs as bits and targets by unit: (units, n)."""
        inputs, targets = (each.astype(np.int8, copy=False) for each in data)
        by_unit = np.ascontiguousarray(targets.reshape(len(targets), -1).T)
        return packed(inputs, self._places, spare=self._kernels.GROUP), by_unit

    def run_epoch(self, order: npt.NDArray[np.int64], step: int) -> tuple[float, float]:
        """Train for an epoch."""
        n, batch_size = len(order), self._settings.batch_size
        np.take(self._words, order, axis=0, out=self._order[:n])
        np.take(self._targets, order, axis=1, out=self._order_targets)
        steps = step_sizes(self._settings, step, -(-n // batch_size), self._w.dtype)
        losses = np.empty(self._units)

        def train(part: slice) -> None:
            self._kernels.train_units(
                self._w[part], self._m[part], self._v[part], self._order,
                self._order_targets[part], batch_size, self._units, steps, self._constants,
                self._inputs, losses[part],
            )  # fmt: skip

        self._in_threads(train)
        hinge = float(losses.sum()) / (n * self._units)
        return hinge, hinge

    def evaluate(self) -> tuple[float, float]:
        """Hinge and loss on the validation data."""
        losses = np.empty(self._units)

        def evaluate(part: slice) -> None:
            self._kernels.hinge_of_units(
                self._w[part], self._validation_words, self._validation_targets[part],
                self._inputs, losses[part],
            )  # fmt: skip

        self._in_threads(evaluate)
        hinge = float(losses.sum()) / self._validation_targets.size
        return hinge, hinge

    def _in_threads(self, work: Callable[[slice], None]) -> None:
        """Share the units among threads; they do not meet, so the result is always the same."""
        edges = np.linspace(0, self._units, self._threads + 1).astype(int).tolist()
        parts = [slice(a, b) for a, b in pairwise(edges) if b > a]
        if len(parts) == 1:
            work(parts[0])
            return
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(work, parts))

    def penalty(self) -> float:
        """λ Σ|w|."""
        in_order = np.zeros_like(self._w)  # a sum's last bits depend on it
        in_order[:, : self._inputs] = self._w[:, self._places]
        return self._settings.l1 * float(np.abs(in_order).sum(dtype=np.float64))

    def layers(self) -> tuple[Layer, ...]:
        """The layer as it is now."""
        return (Layer(np.ascontiguousarray(self._w[:, self._places].T)),)

    def state(self) -> dict[str, FloatArray]:
        """Weights and moments, (inputs, units) each, for a checkpoint."""
        return {
            f"{name}.0": np.ascontiguousarray(values[:, self._places].T)
            for name, values in self._named()
        }

    def restore(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take weights and moments from a checkpoint."""
        for name, values in self._named():
            values[:, self._places] = tensors[f"{name}.0"].T

    def _named(self) -> tuple[tuple[str, FloatArray], ...]:
        return ("weight", self._w), ("mean", self._m), ("square", self._v)
