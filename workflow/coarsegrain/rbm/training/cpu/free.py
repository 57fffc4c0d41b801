"""Persistent contrastive divergence for a machine whose weights are all its own, on a CPU.

States are bits. An update draws the chains' visible units from their hidden ones, and fields of
the data and of the chains are then one product of signs with numbers (``sign_products``); so is the
gradient of -ln p,

    g_ij = -⟨v_i tanh x_j⟩_data + ⟨v_i tanh x_j⟩_chains.

Layers are filled up to multiples of 64 units; weights to these stay 0.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.philox import fill_with_random_words
from coarsegrain.rbm.machine import FreeMachine
from coarsegrain.rbm.training.adam import adam_step
from coarsegrain.rbm.training.cpu.proximal import update_weights
from coarsegrain.rbm.training.cpu.sign_products import (
    COLUMNS,
    TABLES,
    WORD,
    aligned,
    fill_index,
    sign_products,
    transpose_bits,
)
from coarsegrain.rbm.training.cpu.units import drawn_bits
from coarsegrain.rbm.training.settings import TrainingSettings
from coarsegrain.simd import LANES, load, splat, store, total
from coarsegrain.vector_math import hyperbolic_tangent

Bits = npt.NDArray[np.uint32]
Spins = npt.NDArray[np.int8]

#: Kinds of draws: second counter word of the random numbers.
VISIBLE, HIDDEN = 0, 1


@kernel
def _draw(fields, bits, step, stream, key0, key1, words):  # type: ignore[no-untyped-def]
    """Draw the units of a layer for every chain.

    Args:
        fields: (chains, units) float32.
        bits: (chains, units / 32) uint32 to be filled.
        step: third counter word.
        stream: second counter word.
        key0: lower half of the key.
        key1: upper half of the key.
        words: (units,) uint32, written over.
    """
    for chain in range(len(bits)):
        fill_with_random_words(words, 0, chain, step, stream, key0, key1)
        for word in range(bits.shape[1]):
            x = load(fields[chain], WORD * word)
            bits[chain, word] = drawn_bits(x, words, WORD * word)


@kernel
def _means(fields, scale):  # type: ignore[no-untyped-def]
    """Fields x become scale · tanh x; returns Σ x tanh x, added up row by row."""
    energy = 0.0
    for r in range(len(fields)):
        row, sums = fields[r], splat(np.float32(0))
        for j in range(0, len(row), LANES):
            x = load(row, j)
            t = hyperbolic_tangent(x)
            sums = sums + x * t
            store(row, j, t * splat(scale))
        energy += total(sums)
    return energy


@kernel
def _transpose(w, i, transposed, block):  # type: ignore[no-untyped-def]
    """Write rows i … i + LANES - 1 of w into the columns of its transpose.

    Args:
        w: both sides multiples of ``LANES``.
        i: the first row.
        transposed: to be filled in part.
        block: (``LANES``²,) float32, written over.
    """
    for j in range(0, w.shape[1], LANES):
        for a in range(LANES):
            row = w[i + a]
            for b in range(LANES):
                block[LANES * b + a] = row[j + b]
        for b in range(LANES):
            store(transposed[j + b], i, load(block, LANES * b))


@kernel
def _gibbs_steps(number, first, w, w_t, v, h, index_v, index_h, x, y, words, tables, key0, key1):  # type: ignore[no-untyped-def]
    """Draw visible from hidden units, and hidden from visible ones in between, ``number`` times."""
    for k in range(number):
        fill_index(h, index_h)
        sign_products(index_h, w_t, y, tables)
        _draw(y, v, first + k, VISIBLE, key0, key1, words[: y.shape[1]])
        if k < number - 1:
            fill_index(v, index_v)
            sign_products(index_v, w, x, tables)
            _draw(x, h, first + k, HIDDEN, key0, key1, words[: x.shape[1]])


@kernel
def _gradient(  # type: ignore[no-untyped-def]
    w, v, h, batch, chains, draws, index, turned, index_turned, x, g, words, tables, key0, key1
):
    """Gradient of -ln p into g; draws the chains' hidden units.

    Args:
        w: (visible, hidden) weights, filled up.
        v: (samples, words) uint32: ``batch`` rows of data, then ``chains``, then nothing.
        h: (chains, words) uint32 to be filled.
        batch: number of lattices.
        chains: number of chains.
        draws: third counter word of the random numbers.
        index: of v.
        turned: of v, transposed.
        index_turned: of that.
        x: (samples, hidden) float32, written over.
        g: (visible, hidden) float32 to be filled.
        words: (units,) uint32, written over.
        tables: written over.
        key0: lower half of the key.
        key1: upper half of the key.
    Returns:
        Means of Σ_j x_j tanh x_j = v W ⟨h⟩ of the data and of the chains.
    """
    fill_index(v, index)
    sign_products(index, w, x, tables)
    of_chains = x[batch : batch + chains]
    _draw(of_chains, h, draws, HIDDEN, key0, key1, words[: x.shape[1]])
    of_data = _means(x[:batch], np.float32(-1 / batch)) / batch
    of_model = _means(of_chains, np.float32(1 / chains)) / chains
    x[batch + chains :] = np.float32(0)
    transpose_bits(v, turned)
    fill_index(turned, index_turned)
    sign_products(index_turned, x, g, tables)
    return of_data, of_model


@kernel
def _take_step(w, w_t, mean, square, g, step):  # type: ignore[no-untyped-def]
    """Adam's step for all weights that have moments; the transpose follows while they are at hand.

    Args:
        w: (visible, hidden) weights, filled up.
        w_t: (hidden, visible) their transpose.
        mean: (used, hidden) of Adam; rows of w beyond these stay 0.
        square: the same.
        g: (visible, hidden) gradient.
        step: numbers of the step.
    """
    block = np.empty(LANES * LANES, w.dtype)
    for first in range(0, len(w), LANES):
        for i in range(first, min(first + LANES, len(mean))):
            for j in range(0, w.shape[1], LANES):
                update_weights(w[i], mean[i], square[i], j, load(g[i], j), step)
        _transpose(w, first, w_t, block)


def packed(spins: Spins, words: int) -> Bits:
    """States as bits, 1 for +1: (n, words) uint32; those beyond the last unit are 0."""
    octets = np.packbits(spins.reshape(len(spins), -1) > 0, axis=1, bitorder="little")
    rows = np.zeros((len(spins), 4 * words), dtype=np.uint8)
    rows[:, : octets.shape[1]] = octets
    return rows.view("<u4")


def unpacked(bits: Bits, units: int) -> Spins:
    """States as ±1: (n, units) int8."""
    ones = np.unpackbits(
        np.ascontiguousarray(bits).view(np.uint8), axis=1, bitorder="little", count=units
    )
    return np.where(ones, np.int8(1), np.int8(-1))


class FreeTrainer:
    """Weights, moments and chains of a machine, and its data as bits."""

    def __init__(
        self, weights: npt.NDArray[np.floating], data: Spins, settings: TrainingSettings, seed: int
    ) -> None:
        """Start chains from the first lattices of the data.

        Args:
            weights: (n_visible, n_hidden) at the start.
            data: (n, n_visible) or (n, L, L) int8, ±1.
            settings: how to train.
            seed: of the chains' random numbers.
        """
        self._settings, self._sizes = settings, weights.shape
        n_visible, n_hidden = self._sizes
        visible, hidden = _filled_up(n_visible, COLUMNS), _filled_up(n_hidden, COLUMNS)
        self._key = np.uint64(seed & 0xFFFFFFFF), np.uint64((seed >> 32) & 0xFFFFFFFF)
        self._w = aligned(visible, hidden)
        self._w[:n_visible, :n_hidden] = weights
        self._w_t = aligned(hidden, visible)
        self._w_t[:] = self._w.T
        self._mean, self._square = aligned(n_visible, hidden), aligned(n_visible, hidden)
        self._g = aligned(visible, hidden)
        self._data = packed(data, visible // WORD)

        batch, chains = settings.batch, settings.chains
        samples = _filled_up(batch + chains, WORD)
        self._v = np.zeros((samples, visible // WORD), dtype=np.uint32)
        self._h = np.zeros((chains, hidden // WORD), dtype=np.uint32)
        self._x, self._y = aligned(samples, hidden), aligned(chains, visible)
        self._turned = np.zeros((visible, samples // WORD), dtype=np.uint32)
        self._index = np.zeros((visible // WORD, samples, 8), dtype=np.uint16)
        self._index_v = np.zeros((visible // WORD, chains, 8), dtype=np.uint16)
        self._index_h = np.zeros((hidden // WORD, chains, 8), dtype=np.uint16)
        self._index_turned = np.zeros((samples // WORD, visible, 8), dtype=np.uint16)
        self._words = np.zeros(max(visible, hidden), dtype=np.uint32)
        self._tables = aligned(TABLES)
        self._of_chains[:] = np.resize(self._data, self._of_chains.shape)
        self._draw_hidden(0)

    @property
    def _of_chains(self) -> Bits:
        batch, chains = self._settings.batch, self._settings.chains
        return self._v[batch : batch + chains]

    def _draw_hidden(self, step: int) -> None:
        fill_index(self._of_chains, self._index_v)
        sign_products(self._index_v, self._w, self._x, self._tables)
        chains = self._settings.chains
        words = self._words[: self._w.shape[1]]
        _draw(self._x[:chains], self._h, step, HIDDEN, *self._key, words)

    def gradient(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """Move the chains and compute the gradient of -ln p, without the penalty.

        Args:
            update: its number, from 0.
            rows: (batch,) lattices of the data.
        Returns:
            Means of v W ⟨h⟩ of data and of chains.
        """
        settings = self._settings
        batch, steps = settings.batch, settings.gibbs_steps
        self._v[:batch] = self._data[rows]
        # step 0 are the draws at the start
        first = update * steps + 1
        _gibbs_steps(
            steps, first, self._w, self._w_t, self._of_chains, self._h, self._index_v,
            self._index_h, self._x, self._y, self._words, self._tables, *self._key,
        )  # fmt: skip
        of_data, of_model = _gradient(
            self._w, self._v, self._h, batch, settings.chains, first + steps - 1, self._index,
            self._turned, self._index_turned, self._x, self._g, self._words, self._tables,
            *self._key,
        )  # fmt: skip
        return of_data, of_model

    def update(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """``gradient``, then a step of Adam."""
        energies = self.gradient(update, rows)
        step = adam_step(self._settings, update)
        _take_step(self._w, self._w_t, self._mean, self._square, self._g, step)
        return energies

    def last_gradient(self) -> npt.NDArray[np.float32]:
        """(n_visible, n_hidden) of the last update."""
        return self._of_machine(self._g)

    def chains(self) -> Spins:
        """The chains' visible units, (chains, n_visible) int8, ±1."""
        return unpacked(self._of_chains, self._sizes[0])

    def machine(self) -> FreeMachine:
        """The machine as it is now."""
        return FreeMachine(self._of_machine(self._w))

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next updates: weights, moments, and the chains' units as bits."""
        return {
            "weights": self._of_machine(self._w),
            "mean": self._of_machine(self._mean),
            "square": self._of_machine(self._square),
            "visible": np.ascontiguousarray(self._of_chains).view(np.uint8),
            "hidden": self._h.view(np.uint8).copy(),
        }

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""
        n_visible, n_hidden = self._sizes
        for name, array in (("weights", self._w), ("mean", self._mean), ("square", self._square)):
            array[:n_visible, :n_hidden] = tensors[name]
        self._w_t[:] = self._w.T
        self._of_chains[:] = tensors["visible"].view(np.uint32)
        self._h[:] = tensors["hidden"].view(np.uint32)

    def _of_machine(self, array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        n_visible, n_hidden = self._sizes
        return array[:n_visible, :n_hidden].copy()


def _filled_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
