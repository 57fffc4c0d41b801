"""Restricted Boltzmann machines with ±1 units: energy, conditionals, file format.

    E(v, h) = -a·v - b·h - v W h,   p(v, h) = e^(-E)/Z,   v_i, h_j = ±1
    ln p*(v) = a·v + Σ_j ln 2cosh x_j,   x_j = b_j + Σ_i v_i W_ij,   p(h_j = +1 | v) = σ(2 x_j)

(P. Smolensky 1986; G. Hinton, Neural Computation 14, 1771 (2002), with 0 and 1 for -1 and +1.)
Without biases the machine does not know up from down: p(v, h) = p(-v, -h).

Fields are summed in float64 in one order, so they are the same on every processor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.fields import (
    products,
    tied_products,
    transposed_products,
    transposed_tied_products,
)
from coarsegrain.rbm.logistic import log_2cosh, probability_up
from coarsegrain.storage.refusal import refusal
from coarsegrain.storage.weights import read_weights, write_weights

FloatArray = npt.NDArray[np.floating]
Spins = npt.NDArray[np.int8]


@dataclass(frozen=True)
class FreeMachine:
    """A machine whose weights are all its own.

    Attributes:
        weights: (n_visible, n_hidden) W, float32 or float64.
        visible_bias: (n_visible,) a, or None for 0.
        hidden_bias: (n_hidden,) b, or None for 0.
    """

    weights: FloatArray
    visible_bias: FloatArray | None = None
    hidden_bias: FloatArray | None = None

    @property
    def n_visible(self) -> int:
        """Number of visible units."""
        return len(self.weights)

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return int(self.weights.shape[1])

    def dense(self) -> "FreeMachine":
        """Itself: all its weights are written out."""
        return self


@dataclass(frozen=True)
class TiedMachine:
    """A translation-invariant machine: one kernel per channel, shifted by ``stride`` sites.

    The hidden unit (c, I, J) sees v[(s I + di + o) mod L, (s J + dj + o) mod L] with the weight
    kernels[c, di, dj]; s is the stride and o = -(n - s)//2, so that the n x n window is centred on
    the s x s block (I, J). No biases.

    Attributes:
        kernels: (channels, n, n) float32 or float64, n ≤ L.
        L: side of the visible lattice.
        stride: sites between neighbouring hidden units; divides L.
    """

    kernels: FloatArray
    L: int
    stride: int = 2

    def __post_init__(self) -> None:
        """Refuse kernels and strides that do not fit on the lattice."""
        n = self.kernels.shape[-1]
        if self.kernels.ndim != 3 or self.kernels.shape[1] != n or not 0 < n <= self.L:
            raise ValueError(
                f"kernels of shape {self.kernels.shape} do not fit on {self.L} x {self.L} sites; "
                "they must be (channels, n, n) with n at most L."
            )
        if self.stride < 1 or self.L % self.stride:
            raise ValueError(f"the stride {self.stride} does not divide the side {self.L}.")

    @property
    def channels(self) -> int:
        """Number of kernels."""
        return len(self.kernels)

    @property
    def offset(self) -> int:
        """First row and column of the window of the hidden unit (c, 0, 0)."""
        return -(int(self.kernels.shape[1]) - self.stride) // 2

    @property
    def hidden_side(self) -> int:
        """Side of the lattice of hidden units of a channel."""
        return self.L // self.stride

    @property
    def n_visible(self) -> int:
        """Number of visible units."""
        return self.L * self.L

    @property
    def n_hidden(self) -> int:
        """Number of hidden units, c-major, then I, J."""
        return self.channels * self.hidden_side**2

    def dense(self) -> FreeMachine:
        """The same machine with its weights written out: (L², channels (L/stride)²)."""
        n, side = self.kernels.shape[1], self.hidden_side
        weights = np.zeros((self.L, self.L, self.channels, side, side), self.kernels.dtype)
        block_row, block_col = np.mgrid[:side, :side]
        for di in range(n):
            for dj in range(n):
                row = (self.stride * block_row + di + self.offset) % self.L
                col = (self.stride * block_col + dj + self.offset) % self.L
                weights[row, col, :, block_row, block_col] = self.kernels[:, di, dj]
        return FreeMachine(weights.reshape(self.n_visible, self.n_hidden))


Machine = FreeMachine | TiedMachine


def fields(machine: Machine, v: Spins) -> npt.NDArray[np.float64]:
    """Fields on the hidden units, x_j = b_j + Σ_i v_i W_ij.

    Args:
        machine: free or tied.
        v: (n, n_visible) or (n, L, L) int8, ±1.
    Returns:
        (n, n_hidden) float64.
    """
    flat = _flat(v, machine.n_visible)
    x = np.zeros((len(flat), machine.n_hidden))
    if isinstance(machine, TiedMachine):
        tied_products(flat, _double(machine.kernels), machine.L, machine.stride, machine.offset, x)
    else:
        if machine.hidden_bias is not None:
            x += machine.hidden_bias
        products(flat, _double(machine.weights), x)
    return x


def visible_fields(machine: Machine, h: Spins) -> npt.NDArray[np.float64]:
    """Fields on the visible units, y_i = a_i + Σ_j W_ij h_j.

    Args:
        machine: free or tied.
        h: (n, n_hidden) or (n, channels, L/stride, L/stride) int8, ±1.
    Returns:
        (n, n_visible) float64.
    """
    flat = _flat(h, machine.n_hidden)
    y = np.zeros((len(flat), machine.n_visible))
    if isinstance(machine, TiedMachine):
        transposed_tied_products(
            flat, _double(machine.kernels), machine.L, machine.stride, machine.offset, y
        )
    else:
        if machine.visible_bias is not None:
            y += machine.visible_bias
        transposed_products(flat, _double(machine.weights), y)
    return y


def log_weight(machine: Machine, v: Spins) -> npt.NDArray[np.float64]:
    """ln p*(v) = ln p(v) + ln Z = a·v + Σ_j ln 2cosh x_j, in nats.

    Args:
        machine: free or tied.
        v: (n, n_visible) or (n, L, L) int8, ±1.
    Returns:
        (n,) float64.
    """
    # cumsum adds one after the other, which sum does not
    weight: npt.NDArray[np.float64] = log_2cosh(fields(machine, v)).cumsum(axis=1)[:, -1]
    if isinstance(machine, FreeMachine) and machine.visible_bias is not None:
        flat = _flat(v, machine.n_visible)
        weight = weight + (flat * _double(machine.visible_bias)).cumsum(axis=1)[:, -1]
    return weight


def hidden_given_visible(machine: Machine, v: Spins, *, rng: np.random.Generator) -> Spins:
    """Draw hidden units, p(h_j = +1 | v) = σ(2 x_j).

    Args:
        machine: free or tied.
        v: (n, n_visible) or (n, L, L) int8, ±1.
        rng: draws them.
    Returns:
        (n, n_hidden) int8, ±1.
    """
    return _drawn(fields(machine, v), rng)


def visible_given_hidden(machine: Machine, h: Spins, *, rng: np.random.Generator) -> Spins:
    """Draw visible units, p(v_i = +1 | h) = σ(2 y_i).

    Args:
        machine: free or tied.
        h: (n, n_hidden) or (n, channels, L/stride, L/stride) int8, ±1.
        rng: draws them.
    Returns:
        (n, n_visible) int8, ±1.
    """
    return _drawn(visible_fields(machine, h), rng)


def _drawn(fields: npt.NDArray[np.float64], rng: np.random.Generator) -> Spins:
    up = rng.random(fields.shape) < probability_up(fields)
    return np.where(up, np.int8(1), np.int8(-1))


def _flat(spins: Spins, units: int) -> Spins:
    flat = np.ascontiguousarray(spins, dtype=np.int8).reshape(len(spins), -1)
    if flat.shape[1] != units:
        raise ValueError(f"states of {flat.shape[1]} units were given to a layer of {units}.")
    return flat


def _double(array: FloatArray) -> npt.NDArray[np.float64]:
    return np.ascontiguousarray(array, dtype=np.float64)


def write_machine(path: Path, machine: Machine, metadata: Mapping[str, str]) -> None:
    """Write a machine as safetensors.

    Args:
        path: the file, replaced if it is there.
        machine: free or tied.
        metadata: more to keep with it, text by name.
    """
    if isinstance(machine, TiedMachine):
        known = {"kind": "tied", "L": str(machine.L), "stride": str(machine.stride)}
        write_weights(path, {"kernels": machine.kernels}, {**metadata, **known})
        return
    tensors = {
        "weights": machine.weights,
        "visible_bias": machine.visible_bias,
        "hidden_bias": machine.hidden_bias,
    }
    there = {name: array for name, array in tensors.items() if array is not None}
    write_weights(path, there, {**metadata, "kind": "free"})


def read_machine(path: Path) -> tuple[Machine, dict[str, str]]:
    """Read what ``write_machine`` wrote.

    Returns:
        The machine, and the metadata that came with it.
    Raises:
        StorageError: the file is damaged or is no machine; the sentence names it.
    """
    tensors, metadata = read_weights(path)
    try:
        if metadata["kind"] == "tied":
            L, stride = int(metadata["L"]), int(metadata["stride"])
            return TiedMachine(_floating(tensors["kernels"]), L, stride), metadata
        machine = FreeMachine(
            *(
                _floating(tensors[name]) if name in tensors or name == "weights" else None
                for name in ("weights", "visible_bias", "hidden_bias")
            )  # type: ignore[arg-type]
        )
        if metadata["kind"] == "free" and _fits(machine):
            return machine, metadata
    except (KeyError, ValueError):
        pass
    raise refusal(path, "holds no Boltzmann machine of coarsegrain")


def _floating(array: npt.NDArray[np.generic]) -> FloatArray:
    if array.dtype.kind != "f" or not array.size:
        raise ValueError("no weights")
    return array  # type: ignore[return-value]


def _fits(machine: FreeMachine) -> bool:
    a, b = machine.visible_bias, machine.hidden_bias
    return (
        machine.weights.ndim == 2
        and (a is None or a.shape == (machine.n_visible,))
        and (b is None or b.shape == (machine.n_hidden,))
    )
