"""Persistent contrastive divergence for a translation-invariant machine, on a CPU.

32 lattices are worked on at a time, one in each lane of a vector, as numbers ±1. The product of a
weight with ±1 is exact, so a fused multiply-add and a product and a sum give the same bits.

The gradient of -ln p for a kernel's weight is the sum over all places of the kernel,

    g_cd = -Σ_J ⟨v_(J+d) tanh x_cJ⟩_data + Σ_J ⟨v_(J+d) tanh x_cJ⟩_chains.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from llvmlite import binding

from coarsegrain.jit import kernel
from coarsegrain.philox import fill_with_random_words
from coarsegrain.rbm.machine import TiedMachine
from coarsegrain.rbm.training.adam import adam_step
from coarsegrain.rbm.training.cpu.proximal import update_weights
from coarsegrain.rbm.training.cpu.sign_products import aligned
from coarsegrain.rbm.training.cpu.units import drawn_signs
from coarsegrain.rbm.training.settings import TrainingSettings
from coarsegrain.simd import LANES, load, multiply_add, splat, store, total
from coarsegrain.vector_math import hyperbolic_tangent

Spins = npt.NDArray[np.int8]

#: Kinds of draws: second counter word of the random numbers.
VISIBLE, HIDDEN = 0, 1
#: Units for which random words are made at once, and random words of a counter.
UNITS, WORDS_OF_COUNTER = 64, 4
#: Whether this processor has fused multiply-adds, which are the faster way to the same bits.
FUSED = bool(binding.get_host_cpu_features().get("fma"))


@kernel
def _plus_product(x, a, sign):  # type: ignore[no-untyped-def]
    """x + a·(±1)."""
    if FUSED:
        return multiply_add(a, sign, x)
    return x + a * sign


@kernel
def _load_lattices(spins, first, v):  # type: ignore[no-untyped-def]
    """Lattices ``first`` … as numbers: (units, LANES); the first one again where there are no more.

    Args:
        spins: (n, units) int8, ±1.
        first: a lattice.
        v: (units LANES,) float32 to be filled.
    """
    for lane in range(LANES):
        row = spins[first + lane if first + lane < len(spins) else first]
        for i in range(len(row)):
            v[LANES * i + lane] = row[i]


@kernel
def _store_lattices(v, first, spins):  # type: ignore[no-untyped-def]
    """The reverse of ``_load_lattices``."""
    for lane in range(min(LANES, len(spins) - first)):
        row = spins[first + lane]
        for i in range(len(row)):
            row[i] = np.int8(v[LANES * i + lane])


@kernel
def _hidden_field(v, weights, sites):  # type: ignore[no-untyped-def]
    """Fields on one hidden unit: its window's sites times the kernel's weights."""
    x = splat(np.float32(0))
    for d in range(len(sites)):
        x = _plus_product(x, splat(weights[d]), load(v, LANES * sites[d]))
    return x


@kernel
def _visible_field(h, kernels, senders, first, last, places):  # type: ignore[no-untyped-def]
    """Fields on one visible unit, of the windows that it lies in, channel by channel."""
    y = splat(np.float32(0))
    for c in range(len(kernels)):
        for k in range(first, last):
            unit = c * places + senders[k, 0]
            y = _plus_product(y, splat(kernels[c, senders[k, 1]]), load(h, LANES * unit))
    return y


@kernel
def _draw_visible(kernels, senders, starts, places, h, v, block, step, key0, key1, words):  # type: ignore[no-untyped-def]
    """Draw the visible units of 32 lattices."""
    units = len(starts) - 1
    for first in range(0, units, UNITS):
        counter = first * LANES // WORDS_OF_COUNTER
        fill_with_random_words(words, counter, block, step, VISIBLE, key0, key1)
        for unit in range(first, min(first + UNITS, units)):
            y = _visible_field(h, kernels, senders, starts[unit], starts[unit + 1], places)
            store(v, LANES * unit, drawn_signs(y, words, LANES * (unit - first)))


@kernel
def _fields(kernels, windows, v, x):  # type: ignore[no-untyped-def]
    """Fields on the hidden units of 32 lattices."""
    places = len(windows)
    for c in range(len(kernels)):
        for place in range(places):
            field = _hidden_field(v, kernels[c], windows[place])
            store(x, LANES * (c * places + place), field)


@kernel
def _draw_hidden(x, h, block, step, key0, key1, words):  # type: ignore[no-untyped-def]
    """Draw the hidden units of 32 lattices in their fields."""
    units = len(x) // LANES
    for first in range(0, units, UNITS):
        counter = first * LANES // WORDS_OF_COUNTER
        fill_with_random_words(words, counter, block, step, HIDDEN, key0, key1)
        for unit in range(first, min(first + UNITS, units)):
            signs = drawn_signs(load(x, LANES * unit), words, LANES * (unit - first))
            store(h, LANES * unit, signs)


@kernel
def _add_gradient(x, v, windows, scale, g):  # type: ignore[no-untyped-def]
    """Add the lattices' v tanh x times ``scale`` to the gradient; fields become scale · tanh x.

    Args:
        x: (hidden units LANES,) fields, written over.
        v: (visible units LANES,) ±1.
        windows: (places, sites) of every hidden unit.
        scale: (LANES,) of every lattice; 0 where there is none.
        g: (channels, sites) float64.
    Returns:
        Σ |scale| x tanh x.
    """
    places, sites = windows.shape
    scales, energy = load(scale, 0), splat(np.float32(0))
    for unit in range(len(g) * places):
        field = load(x, LANES * unit)
        t = hyperbolic_tangent(field) * scales
        energy = energy + field * t
        store(x, LANES * unit, t)
    for c in range(len(g)):
        for d in range(0, sites, 4):
            d1, d2, d3 = min(d + 1, sites - 1), min(d + 2, sites - 1), min(d + 3, sites - 1)
            zero = splat(np.float32(0))
            s0, s1, s2, s3 = zero, zero, zero, zero
            for place in range(places):
                t, window = load(x, LANES * (c * places + place)), windows[place]
                s0 = _plus_product(s0, t, load(v, LANES * window[d]))
                s1 = _plus_product(s1, t, load(v, LANES * window[d1]))
                s2 = _plus_product(s2, t, load(v, LANES * window[d2]))
                s3 = _plus_product(s3, t, load(v, LANES * window[d3]))
            g[c, d] += total(s0)
            if d + 1 < sites:
                g[c, d + 1] += total(s1)
            if d + 2 < sites:
                g[c, d + 2] += total(s2)
            if d + 3 < sites:
                g[c, d + 3] += total(s3)
    return total(energy)


@kernel
def _gradient_of_data(kernels, windows, data, rows, g):  # type: ignore[no-untyped-def]
    """Subtract the data's part of the gradient; returns the mean of v W ⟨h⟩."""
    v = np.empty(data.shape[1] * LANES, np.float32)
    x = np.empty(len(kernels) * len(windows) * LANES, np.float32)
    scale, energy = np.empty(LANES, np.float32), 0.0
    lattices = data[rows]
    for first in range(0, len(rows), LANES):
        _load_lattices(lattices, first, v)
        _fields(kernels, windows, v, x)
        for lane in range(LANES):
            scale[lane] = np.float32(-1 / len(rows)) if first + lane < len(rows) else np.float32(0)
        energy -= _add_gradient(x, v, windows, scale, g)
    return energy


@kernel
def _move_chains(  # type: ignore[no-untyped-def]
    kernels, windows, senders, starts, chains, hidden, steps, draws, g, key0, key1
):
    """Gibbs steps of the chains, and their part of the gradient.

    Args:
        kernels: (channels, sites) float32.
        windows: (places, sites) int64: what every hidden unit of a channel sees.
        senders: (n, 2) int64: places whose windows visible units lie in, and where in these.
        starts: (visible + 1,): those of unit i are senders[starts[i] : starts[i + 1]].
        chains: (n, visible) int8, ±1, to be moved.
        hidden: (n, hidden) int8, ±1, to be moved.
        steps: Gibbs steps; with 0 of them, hidden units are drawn for the visible ones.
        draws: third counter word of the first step's random numbers.
        g: (channels, sites) float64, added to.
        key0: lower half of the key.
        key1: upper half of the key.
    Returns:
        Mean of v W ⟨h⟩.
    """
    number, places = len(chains), len(windows)
    v = np.empty(chains.shape[1] * LANES, np.float32)
    h = np.empty(hidden.shape[1] * LANES, np.float32)
    x, words = np.empty_like(h), np.empty(UNITS * LANES, np.uint32)
    scale, energy = np.empty(LANES, np.float32), 0.0
    for first in range(0, number, LANES):
        block = first // LANES
        _load_lattices(chains, first, v)
        _load_lattices(hidden, first, h)
        for step in range(draws, draws + max(steps, 1)):
            if steps > 0:
                _draw_visible(
                    kernels, senders, starts, places, h, v, block, step, key0, key1, words
                )
            _fields(kernels, windows, v, x)
            _draw_hidden(x, h, block, step, key0, key1, words)
        for lane in range(LANES):
            scale[lane] = np.float32(1 / number) if first + lane < number else np.float32(0)
        energy += _add_gradient(x, v, windows, scale, g)
        _store_lattices(v, first, chains)
        _store_lattices(h, first, hidden)
    return energy


@kernel
def _take_step(w, mean, square, g, step):  # type: ignore[no-untyped-def]
    """Adam's step for all weights, a multiple of ``LANES``."""
    for j in range(0, len(w), LANES):
        update_weights(w, mean, square, j, load(g, j), step)


class TiedTrainer:
    """Kernels, moments and chains of a machine, and its data."""

    def __init__(
        self, machine: TiedMachine, data: Spins, settings: TrainingSettings, seed: int
    ) -> None:
        """Start chains from the first lattices of the data.

        Args:
            machine: at the start.
            data: (n, L, L) int8, ±1.
            settings: how to train.
            seed: of the chains' random numbers.
        """
        self._start, self._settings = machine, settings
        channels, n, _ = machine.kernels.shape
        self._shape = channels, n * n
        self._key = np.uint64(seed & 0xFFFFFFFF), np.uint64((seed >> 32) & 0xFFFFFFFF)
        self._windows = _windows(machine)
        self._senders, self._starts = _senders(self._windows, machine.n_visible)
        size = -(-channels * n * n // LANES) * LANES
        self._w, self._mean, self._square, self._g = (aligned(size) for _ in range(4))
        self._kernels = self._w[: channels * n * n].reshape(channels, n * n)
        self._kernels[:] = machine.kernels.reshape(channels, n * n)
        self._data = np.ascontiguousarray(data.reshape(len(data), -1))
        self._v = np.resize(self._data, (settings.chains, machine.n_visible))
        self._h = np.ones((settings.chains, machine.n_hidden), dtype=np.int8)
        self._move(0, 0, np.zeros(self._shape))

    def _move(self, steps: int, draws: int, g: npt.NDArray[np.float64]) -> float:
        energy: float = _move_chains(
            self._kernels, self._windows, self._senders, self._starts, self._v, self._h, steps,
            draws, g, *self._key,
        )  # fmt: skip
        return energy

    def gradient(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """Move the chains and compute the gradient of -ln p, without the penalty.

        Args:
            update: its number, from 0.
            rows: (batch,) lattices of the data.
        Returns:
            Means of v W ⟨h⟩ of data and of chains.
        """
        steps = self._settings.gibbs_steps
        g = np.zeros(self._shape)
        of_model = self._move(steps, update * steps + 1, g)
        of_data = _gradient_of_data(self._kernels, self._windows, self._data, rows, g)
        self._g[: g.size] = g.reshape(-1)
        return of_data, of_model

    def update(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """``gradient``, then a step of Adam."""
        energies = self.gradient(update, rows)
        step = adam_step(self._settings, update)
        _take_step(self._w, self._mean, self._square, self._g, step)
        return energies

    def last_gradient(self) -> npt.NDArray[np.float32]:
        """(channels, n, n) of the last update."""
        return self._of_machine(self._g)

    def chains(self) -> Spins:
        """The chains' visible units, (chains, L²) int8, ±1."""
        return self._v.copy()

    def machine(self) -> TiedMachine:
        """The machine as it is now."""
        return TiedMachine(self._of_machine(self._w), self._start.L, self._start.stride)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next updates: kernels, moments, and the chains' units."""
        return {
            "weights": self._of_machine(self._w),
            "mean": self._of_machine(self._mean),
            "square": self._of_machine(self._square),
            "visible": self._v.view(np.uint8).copy(),
            "hidden": self._h.view(np.uint8).copy(),
        }

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        for name, array in (("weights", self._w), ("mean", self._mean), ("square", self._square)):
            array[: tensors[name].size] = tensors[name].reshape(-1)
        self._v[:] = tensors["visible"].view(np.int8)
        self._h[:] = tensors["hidden"].view(np.int8)

    def _of_machine(self, array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        shape = self._start.kernels.shape
        return array[: self._start.kernels.size].reshape(shape).copy()


def _windows(machine: TiedMachine) -> npt.NDArray[np.int64]:
    """Sites that the hidden units of a channel see: (places, n²), row-major."""
    n, side, L = machine.kernels.shape[1], machine.hidden_side, machine.L
    corners = machine.stride * np.arange(side) + machine.offset
    lines = (corners[:, None] + np.arange(n)) % L
    sites = lines[:, None, :, None] * L + lines[None, :, None, :]
    return np.ascontiguousarray(sites.reshape(side * side, n * n), dtype=np.int64)


def _senders(
    windows: npt.NDArray[np.int64], n_visible: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For every visible unit the places whose windows it lies in, and where in them."""
    order = np.argsort(windows.reshape(-1), kind="stable")
    places, positions = np.divmod(order, windows.shape[1])
    counts = np.bincount(windows.reshape(-1), minlength=n_visible)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return np.stack([places, positions], axis=1).astype(np.int64), starts.astype(np.int64)
