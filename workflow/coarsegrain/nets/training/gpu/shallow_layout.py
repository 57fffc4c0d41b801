"""How ``shallow.cu`` is compiled for a net, and how it reads lattices."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.training.settings import Data

LANES = 32
#: numba's arrays hold a multiple of so many weights per unit.
WORD = 64
#: Lattices whose outputs are computed in one pass over the weights, at most: one register each for
#: the word and the sum, and enough independent sums to hide the latency of an addition.
LARGEST_GROUP = 10
#: 4-byte registers of a thread for weights and moments, at most, of the 255 that there are.
STATE_REGISTERS = 96
REGISTERS, SHARED, GLOBAL = range(3)
#: Sums round one by one, as on a CPU. Division and square root are IEEE's unless told otherwise.
OPTIONS = ("--fmad=false",)


class Sizes(NamedTuple):
    """What the kernels are compiled for, and how they are launched."""

    inputs: int
    units: int
    batch: int
    precision: str
    shared_bytes: int

    @property
    def blocks(self) -> int:
        """Weights of a unit that a lane has."""
        return -(-self.inputs // LANES)

    @property
    def words(self) -> int:
        """Words of a lattice that a lane has: 32 inputs in each."""
        return -(-self.blocks // LANES)

    @property
    def width(self) -> int:
        """Weights of a unit in memory: the inputs', and zeros."""
        return -(-self.inputs // WORD) * WORD

    @property
    def state_bytes(self) -> int:
        """Of a unit's weights and moments."""
        return 3 * self.blocks * LANES * np.dtype(self.precision).itemsize

    @property
    def storage(self) -> int:
        """Where a unit's weights and moments are during a launch."""
        if self.words == 1 and self.state_bytes <= STATE_REGISTERS * 4 * LANES:
            return REGISTERS
        return SHARED if self.state_bytes <= self.shared_bytes else GLOBAL

    @property
    def warps(self) -> int:
        """Of a thread block. A unit in shared memory has a block of its own: they are large."""
        return 1 if self.storage == SHARED else 4

    @property
    def group(self) -> int:
        """Lattices at a time: equal parts of a batch."""
        return -(-self.batch // -(-self.batch // LARGEST_GROUP))

    @property
    def spare(self) -> int:
        """Rows after the last lattice that kernels may read."""
        return self.batch + self.group

    @property
    def macros(self) -> dict[str, int | str]:
        """What ``shallow.cu`` must be told."""
        return {
            "REAL": {"float32": "float", "float64": "double"}[self.precision],
            "INPUTS": self.inputs,
            "UNITS": self.units,
            "BATCH": self.batch,
            "GROUP": self.group,
            "DIGITS": self.batch.bit_length(),
            "STORAGE": self.storage,
            "WARPS": self.warps,
        }

    @property
    def options(self) -> tuple[str, ...]:
        """Of the compiler."""
        return OPTIONS + tuple(f"-D{name}={value}" for name, value in self.macros.items())


def rows(data: Data, sizes: Sizes) -> npt.NDArray[np.uint32]:
    """Lattices and their targets as ``shallow.cu`` reads them.

    Args:
        data: inputs (n, …) ±1 and targets (n, …) ±1 or 0.
        sizes: of the net.
    Returns:
        (n + spare, words): for every lattice a word for each lane (input 32 k + l is bit k % 32 of
        word k // 32 of lane l), then a bit for every unit: target +1, then: target not 0.
    """
    inputs, targets = (each.reshape(len(each), -1).astype(np.int8, copy=False) for each in data)
    n = len(inputs)
    padded = np.zeros((n, sizes.words * LANES * LANES), dtype=bool)
    padded[:, : sizes.inputs] = inputs > 0
    by_lane = padded.reshape(n, sizes.words, LANES, LANES).swapaxes(2, 3)
    units = np.zeros((2, n, -(-sizes.units // LANES) * LANES), dtype=bool)
    units[0, :, : sizes.units] = targets > 0
    units[1, :, : sizes.units] = targets != 0
    parts = [_words(by_lane.reshape(n, -1)), _words(units[0]), _words(units[1])]
    spare = np.zeros((sizes.spare, sum(part.shape[1] for part in parts)), dtype=np.uint32)
    return np.concatenate([np.concatenate(parts, axis=1), spare])


def _words(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint32]:
    return np.packbits(bits, axis=1, bitorder="little").view("<u4")
