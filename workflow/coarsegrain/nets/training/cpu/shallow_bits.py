"""The training of a shallow net's units one by one, for processors with AVX-512.

A unit's weights and moments (12 KB for 1024 inputs in float32) stay in the first-level cache for a
whole epoch. Spins are bits:

- outputs: x·w = 2 Σ_{bits set} w - Σ w, in masked additions of 32 weights at once;
- gradients: the slope of the hinge is 0 or ±1/(batch · outputs), so a weight's gradient is an
  integer times that: the number of lattices with a slope less twice the number of those with
  t x = +1. Bits are counted in parallel for 64 weights, as binary numbers stored digit by digit.

The order of all sums is fixed and independent of threads and machine (``simd``).
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.nets.training.adam import AdamConstants
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
FloatArray = npt.NDArray[np.floating]


def places(inputs: int, width: int) -> npt.NDArray[np.int64]:
    """Where each input's weight stands among ``width``: in their order."""
    return np.arange(inputs)


def train_units(
    w: FloatArray,
    m: FloatArray,
    v: FloatArray,
    words: npt.NDArray[np.uint64],
    targets: npt.NDArray[np.int8],
    batch_size: int,
    units: int,
    step_sizes: FloatArray,
    constants: AdamConstants,
    used: int,
    losses: npt.NDArray[np.float64],
) -> None:
    """Train units for an epoch, in place.

    Args:
        w: (units here, width) weights, in the order of ``places``; others than those stay 0.
        m: (units here, width) first moments.
        v: (units here, width) second moments.
        words: (n + GROUP, width / 64) lattices in the epoch's order.
        targets: (units here, n).
        batch_size: lattices per step.
        units: of the whole layer.
        step_sizes: (steps, 2) a and e of Adam's steps.
        constants: of Adam.
        used: number of inputs.
        losses: (units here,) where the sums of their hinge losses go.
    """
    binary_digits = min(batch_size, targets.shape[1]).bit_length()
    digits = tuple(w.dtype.type(-2 << digit) for digit in range(binary_digits))
    _train_all(
        w, m, v, words, targets, batch_size, units, step_sizes, constants, digits, used, losses
    )


def hinge_of_units(
    w: FloatArray,
    words: npt.NDArray[np.uint64],
    targets: npt.NDArray[np.int8],
    used: int,
    losses: npt.NDArray[np.float64],
) -> None:
    """Sums of the units' hinge losses over lattices; arguments as above."""
    _hinge_of_all(w, words, targets, losses)


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
def _train_all(  # type: ignore[no-untyped-def]
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
def _hinge_of_all(w, words, targets, losses):  # type: ignore[no-untyped-def]
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
