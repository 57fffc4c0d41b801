"""Training of a net of one linear layer, output unit by output unit, on a CPU.

Hinge loss averaged over outputs, L1 and Adam are all elementwise, so every output unit is a
problem of its own. Its weights and moments (12 KB for 1024 inputs in float32) stay in the cache
for a whole epoch. Spins are bits:

- outputs: x·w = 2 Σ_{bits set} w - Σ w, in masked additions of 32 weights at once;
- gradients: the slope of the hinge is 0 or ±1/(batch · outputs), so a weight's gradient is an
  integer times that: the number of lattices with a slope less twice the number of those with
  t x = +1. Bits are counted in parallel for 64 weights, as binary numbers stored digit by digit.

The order of all sums is fixed and independent of threads and machine (``simd``).
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.nets.network import Layer
from coarsegrain.nets.training.adam import adam_constants, step_sizes
from coarsegrain.nets.training.settings import Data, Member, TrainingSettings
from coarsegrain.simd import (
    LANES,
    flushed,
    load,
    masked_add,
    signed,
    splat,
    square_root,
    store,
    total,
)

#: Lattices whose outputs are computed in one pass over the weights.
GROUP = 5
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


def packed(spins: npt.NDArray[np.int8], spare: int = 0) -> npt.NDArray[np.uint64]:
    """Lattices as bits, 1 for +1.

    Args:
        spins: (n, …) ±1.
        spare: rows of zeros to add.
    Returns:
        (n + spare, words): input i is bit i % 64 of word i // 64; bits beyond the last are 0.
    """
    flat = spins.reshape(len(spins), -1) > 0
    words = -(-flat.shape[1] // WORD)
    rows = np.zeros((len(flat) + spare, words * 8), dtype=np.uint8)
    octets = np.packbits(flat, axis=1, bitorder="little")
    rows[: len(flat), : octets.shape[1]] = octets
    return rows.view("<u8")


@kernel
def _outputs(w, bits, first, y):  # type: ignore[no-untyped-def]
    """Outputs of a unit for the lattices ``first`` … ``first + GROUP - 1``.

    Args:
        w: (inputs,) weights.
        bits: (n, inputs / LANES) uint32.
        first: a lattice.
        y: (≥ GROUP,) where they go.
    """
    zero = splat(w.dtype.type(0))
    whole, a, b, c, d, e = zero, zero, zero, zero, zero, zero
    for k in range(bits.shape[1]):
        weights = load(w, LANES * k)
        whole = whole + weights
        a = masked_add(a, bits[first, k], weights)
        b = masked_add(b, bits[first + 1, k], weights)
        c = masked_add(c, bits[first + 2, k], weights)
        d = masked_add(d, bits[first + 3, k], weights)
        e = masked_add(e, bits[first + 4, k], weights)
    sum_of_all = total(whole)
    y[0] = total(a) + total(a) - sum_of_all
    y[1] = total(b) + total(b) - sum_of_all
    y[2] = total(c) + total(c) - sum_of_all
    y[3] = total(d) + total(d) - sum_of_all
    y[4] = total(e) + total(e) - sum_of_all


@kernel
def _train_unit(w, m, v, words, targets, batch_size, units, step_sizes, constants, digits, used):  # type: ignore[no-untyped-def]
    """Train one unit for an epoch; returns the sum of its hinge losses.

    Args:
        w: (inputs,) weights; those from ``used`` on belong to no input and stay 0.
        m: (inputs,) first moments.
        v: (inputs,) second moments.
        words: (n + GROUP, inputs / 64) lattices in the epoch's order.
        targets: (n,) int8.
        batch_size: lattices per step.
        units: of the whole layer.
        step_sizes: (steps, 2) a and e of Adam's steps.
        constants: of Adam.
        digits: -2, -4, -8, …: as many as the batch size has binary digits.
        used: number of inputs.
    """
    n, blocks, number_of_words = len(targets), len(w) // LANES, words.shape[1]
    bits = words.view(np.uint32)
    one, zero = w.dtype.type(1), w.dtype.type(0)
    y = np.empty(batch_size + GROUP, w.dtype)
    counts = np.empty((len(digits), number_of_words), np.uint64)
    count_bits = counts.view(np.uint32)
    beta1, rest1 = splat(constants.beta1), splat(constants.one_minus_beta1)
    beta2, rest2, l1 = splat(constants.beta2), splat(constants.one_minus_beta2), splat(constants.l1)
    tiny = splat(constants.tiny)
    loss = 0.0
    for step in range(len(step_sizes)):
        first = step * batch_size
        size = min(batch_size, n - first)
        for k in range(0, size, GROUP):
            _outputs(w, bits, first + k, y[k:])

        counts[:] = 0
        sloped = 0
        for k in range(size):
            target = targets[first + k]
            margin = one - (y[k] if target > 0 else (-y[k] if target < 0 else zero))
            if margin >= zero:  # at 1 - t y = 0 the slope is -t, as torch's clamp has it
                loss += margin
                if target != 0:
                    sloped += 1
                    flip = np.uint64(0) if target > 0 else ~np.uint64(0)
                    for i in range(number_of_words):
                        carry = words[first + k, i] ^ flip
                        for digit in range(len(digits)):
                            old = counts[digit, i]
                            counts[digit, i] = old ^ carry
                            carry &= old
            elif not margin < zero:  # not a number
                loss += margin

        slope = splat(w.dtype.type(1 / (size * units)))
        base = splat(w.dtype.type(sloped))
        a, e = splat(step_sizes[step, 0]), splat(step_sizes[step, 1])
        for k in range(blocks):
            weights = load(w, LANES * k)
            times = base
            for digit in range(len(digits)):
                times = masked_add(times, count_bits[digit, k], splat(digits[digit]))
            g = times * slope + signed(weights, l1)
            mean = flushed(beta1 * load(m, LANES * k) + rest1 * g, tiny)
            square = flushed(beta2 * load(v, LANES * k) + rest2 * (g * g), tiny)
            store(m, LANES * k, mean)
            store(v, LANES * k, square)
            store(w, LANES * k, weights - a * mean / (square_root(square) + e))
        w[used:] = zero
    return loss


@kernel
def _train_units(  # type: ignore[no-untyped-def]
    w, m, v, words, targets, batch_size, units, step_sizes, constants, digits, used, losses
):
    """Train units one after the other: arguments as above, but for all units.

    Args:
        losses: (units,) where the sums of their hinge losses go.
    """
    for k in range(len(w)):
        losses[k] = _train_unit(
            w[k], m[k], v[k], words, targets[k], batch_size, units, step_sizes, constants, digits,
            used,
        )  # fmt: skip


@kernel
def _hinge_of_units(w, words, targets, losses):  # type: ignore[no-untyped-def]
    """Sums of the units' hinge losses over lattices; arguments as above."""
    n, bits = targets.shape[1], words.view(np.uint32)
    one, zero = w.dtype.type(1), w.dtype.type(0)
    y = np.empty(GROUP, w.dtype)
    for unit in range(len(w)):
        loss = 0.0
        for first in range(0, n, GROUP):
            _outputs(w[unit], bits, first, y)
            for k in range(min(GROUP, n - first)):
                target = targets[unit, first + k]
                margin = one - (y[k] if target > 0 else (-y[k] if target < 0 else zero))
                loss += max(margin, zero) if margin == margin else margin
        losses[unit] = loss


class ShallowTrainer:
    """The weights and moments of one member of a shallow net, and its data as bits."""

    def __init__(
        self, member: Member, settings: TrainingSettings, *, precision: str, threads: int
    ) -> None:
        (layer,) = member.network.layers
        self._settings, self._threads = settings, threads
        self._inputs, self._units = layer.weight.shape
        self._words, self._targets = self._resident(member.data)
        self._validation_words, self._validation_targets = self._resident(member.validation)
        self._order = np.empty_like(self._words)
        self._order_targets = np.empty_like(self._targets)
        width = -(-self._inputs // WORD) * WORD
        self._w, self._m, self._v = (
            np.zeros((self._units, width), dtype=precision) for _ in range(3)
        )
        self._w[:, : self._inputs] = layer.weight.T
        self._constants = adam_constants(settings, precision)
        kind = self._w.dtype.type
        binary_digits = min(settings.batch_size, self._targets.shape[1]).bit_length()
        self._digits = tuple(kind(-2 << digit) for digit in range(binary_digits))

    def _resident(self, data: Data) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int8]]:
        """Inputs as bits and targets by unit: (units, n)."""
        inputs, targets = (each.astype(np.int8, copy=False) for each in data)
        by_unit = np.ascontiguousarray(targets.reshape(len(targets), -1).T)
        return packed(inputs, spare=GROUP), by_unit

    def run_epoch(self, order: npt.NDArray[np.int64], step: int) -> tuple[float, float]:
        """Train for an epoch."""
        n, batch_size = len(order), self._settings.batch_size
        np.take(self._words, order, axis=0, out=self._order[:n])
        np.take(self._targets, order, axis=1, out=self._order_targets)
        steps = step_sizes(self._settings, step, -(-n // batch_size), self._w.dtype)
        losses = np.empty(self._units)

        def train(part: slice) -> None:
            _train_units(
                self._w[part], self._m[part], self._v[part], self._order,
                self._order_targets[part], batch_size, self._units, steps, self._constants,
                self._digits, self._inputs, losses[part],
            )  # fmt: skip

        self._in_threads(train)
        hinge = float(losses.sum()) / (n * self._units)
        return hinge, hinge

    def evaluate(self) -> tuple[float, float]:
        """Hinge and loss on the validation data."""
        losses = np.empty(self._units)

        def evaluate(part: slice) -> None:
            _hinge_of_units(
                self._w[part], self._validation_words, self._validation_targets[part], losses[part]
            )

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
        return self._settings.l1 * float(np.abs(self._w).sum(dtype=np.float64))

    def layers(self) -> tuple[Layer, ...]:
        """The layer as it is now."""
        return (Layer(np.ascontiguousarray(self._w[:, : self._inputs].T)),)

    def state(self) -> dict[str, FloatArray]:
        """Weights and moments, (inputs, units) each, for a checkpoint."""
        return {
            f"{name}.0": np.ascontiguousarray(values[:, : self._inputs].T)
            for name, values in self._named()
        }

    def restore(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take weights and moments from a checkpoint."""
        for name, values in self._named():
            values[:, : self._inputs] = tensors[f"{name}.0"].T

    def _named(self) -> tuple[tuple[str, FloatArray], ...]:
        return ("weight", self._w), ("mean", self._m), ("square", self._v)
