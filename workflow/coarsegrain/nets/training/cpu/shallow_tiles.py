"""The training of ``shallow_bits``, with the same bits, for processors without AVX-512.

There a masked addition takes four instructions for each register, and the sums of five lattices do
not fit the registers. Here a few units take each step together:

- their spins, as numbers 0 and 1, are made once for all of them. ``sum + x w`` by a fused
  multiply-add then has the bits of a masked addition: x w is w or ±0, which is exact, and a sum
  that begins with +0 is never -0, which alone would change if ±0 were added to it. (Unless weights
  are infinite or not numbers, as 0 ∞ is not a number: then ``_masked_outputs`` adds);
- the 32 lanes of every sum are worked on in four parts of eight that do not meet before the total.
  What belongs to a part stands together in memory: input 32 k + 8 p + l at 8 (blocks p + k) + l
  (``places``);
- gradients are counted in bytes: with c = -t where the hinge has a slope, else 0, and bits b of the
  spins, Σ c x = 2 Σ c b - Σ c. These are whole numbers, the same however they are added up.
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.nets.training.adam import AdamConstants
from coarsegrain.simd import (
    LANES,
    PART,
    chosen_where_less,
    flushed,
    load,
    load_part,
    multiply_add,
    signed,
    splat,
    splat_part,
    square_root,
    store,
    total,
)
from coarsegrain.simd_masks import (
    add_bytes,
    add_where,
    load_part_of_masks,
    load_whole,
    splat_byte,
    store_masks,
)

#: Lattices whose outputs are computed in one pass over the weights.
GROUP = 10
#: Sums of a pass: one per lattice, and the sum of all weights, which is that of a lattice of ones.
SUMS = GROUP + 1
PARTS = LANES // PART
#: Units that take a step together. Their weights and moments stay in the second-level cache.
TILE = 10
#: Numbers between the units' rows, which would else share the same few lines of the cache.
SPACE = 48
#: Counts are kept in 16 bits.
LARGEST_BATCH = 2**15 - 1
FloatArray = npt.NDArray[np.floating]


def places(inputs: int, width: int) -> npt.NDArray[np.int64]:
    """Where each input's weight stands among ``width``: parts one after the other."""
    block, lane = np.divmod(np.arange(inputs), LANES)
    place: npt.NDArray[np.int64] = PART * (width // LANES * (lane // PART) + block) + lane % PART
    return place


@kernel
def _spread(bits, first, masks, spins):  # type: ignore[no-untyped-def]
    """Spins of a group of lattices, as bytes and as numbers.

    Args:
        bits: (n + GROUP, inputs / LANES) uint32.
        first: a lattice.
        masks: (inputs · GROUP,) uint8 that become 255 or 0: of the first LANES inputs those of
            all lattices, one after the other, and so on.
        spins: (inputs · SUMS,) float32 that become 1 or 0: the same of the first PART inputs.
    """
    for k in range(bits.shape[1]):
        for j in range(GROUP):
            store_masks(masks, LANES * (GROUP * k + j), bits[first + j, k])
        for part in range(PARTS):  # not that of the sums: the next PART inputs
            for j in range(GROUP):
                numbers = load_part_of_masks(masks, LANES * (GROUP * k + j) + PART * part)
                store(spins, PART * (SUMS * (PARTS * k + part) + j), numbers)


@kernel
def _spread_ones(used, spins):  # type: ignore[no-untyped-def]
    """A lattice of ones, as the last of a group in ``_spread``; 0 where there is no input."""
    blocks = len(spins) // (SUMS * LANES)
    for i in range(blocks * LANES):
        at = PART * (blocks * (i % LANES // PART) + i // LANES)  # as in ``places``
        spins[SUMS * at + PART * GROUP + i % PART] = 1 if i < used else 0


@kernel
def _add_up(w, begin, spins, blocks, sums, to):  # type: ignore[no-untyped-def]
    """Sums over the blocks of a part of a unit's weights, for a group of lattices.

    Args:
        w: weights, from ``begin`` on those of the part.
        spins: see ``_spread``, from the part on.
        blocks: of a part.
        sums: from ``to`` on, SUMS · PART of them, where they go.
    """
    zero = splat_part(w.dtype.type(0))
    a, b, c, d, e, f, g, h, i, j, whole = (
        zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero,
    )  # fmt: skip
    for k in range(blocks):
        weights, at = load_part(w, begin + PART * k), SUMS * PART * k
        a = multiply_add(load_part(spins, at), weights, a)
        b = multiply_add(load_part(spins, at + PART), weights, b)
        c = multiply_add(load_part(spins, at + 2 * PART), weights, c)
        d = multiply_add(load_part(spins, at + 3 * PART), weights, d)
        e = multiply_add(load_part(spins, at + 4 * PART), weights, e)
        f = multiply_add(load_part(spins, at + 5 * PART), weights, f)
        g = multiply_add(load_part(spins, at + 6 * PART), weights, g)
        h = multiply_add(load_part(spins, at + 7 * PART), weights, h)
        i = multiply_add(load_part(spins, at + 8 * PART), weights, i)
        j = multiply_add(load_part(spins, at + 9 * PART), weights, j)
        whole = multiply_add(load_part(spins, at + 10 * PART), weights, whole)
    _store_sums(sums, to, a, b, c, d, e, f, g, h, i, j, whole)


@kernel
def _store_sums(sums, to, a, b, c, d, e, f, g, h, i, j, whole):  # type: ignore[no-untyped-def]
    store(sums, to, a)
    store(sums, to + PART, b)
    store(sums, to + 2 * PART, c)
    store(sums, to + 3 * PART, d)
    store(sums, to + 4 * PART, e)
    store(sums, to + 5 * PART, f)
    store(sums, to + 6 * PART, g)
    store(sums, to + 7 * PART, h)
    store(sums, to + 8 * PART, i)
    store(sums, to + 9 * PART, j)
    store(sums, to + 10 * PART, whole)


@kernel
def _change(w, m, v, counts, sum_of_signs, slope, step_size, constants):  # type: ignore[no-untyped-def]
    """Adam's step (``adam``) for a unit.

    A processor that waits for a square root and a quotient begins little else. So moments change
    LANES weights ahead of the weights.

    Args:
        w: (inputs,) weights.
        m: (inputs,) first moments.
        v: (inputs,) second moments.
        counts: (inputs,) int16, Σ c b.
        sum_of_signs: Σ c.
        slope: of the loss with respect to an output.
        step_size: (2,) a and e of the step.
        constants: of Adam.
    """
    number = w.dtype.type
    half, twice = number(-sum_of_signs / 2), slope + slope  # whole numbers and halves: exact
    _change_moments(w, m, v, counts, half, twice, constants, 0)
    for k in range(LANES, len(w), LANES):
        _change_moments(w, m, v, counts, half, twice, constants, k)
        _change_weights(w, m, v, step_size, k - LANES)
    _change_weights(w, m, v, step_size, len(w) - LANES)


@kernel
def _change_moments(w, m, v, counts, half, twice, constants, k):  # type: ignore[no-untyped-def]
    times, tiny = load_whole(counts, k) + splat(half), splat(constants.tiny)
    g = times * splat(twice) + signed(load(w, k), splat(constants.l1))
    mean = splat(constants.beta1) * load(m, k) + splat(constants.one_minus_beta1) * g
    square = splat(constants.beta2) * load(v, k) + splat(constants.one_minus_beta2) * (g * g)
    store(m, k, flushed(mean, tiny))
    store(v, k, chosen_where_less(square, tiny, splat(w.dtype.type(0)), square))


@kernel
def _change_weights(w, m, v, step_size, k):  # type: ignore[no-untyped-def]
    root = square_root(load(v, k)) + splat(step_size[1])
    store(w, k, load(w, k) - splat(step_size[0]) * load(m, k) / root)


@kernel
def _outputs(w, masks, used, sums, y):  # type: ignore[no-untyped-def]
    """Outputs of a unit for a group of lattices, from the sums of its parts.

    Args:
        w: (inputs,) weights.
        masks: of the lattices, see ``_spread``.
        used: number of inputs.
        sums: (PARTS · SUMS · PART,).
        y: (GROUP,) where they go.
    """
    sum_of_all = _total(sums, GROUP)
    if np.isfinite(sum_of_all):  # then all weights are
        for j in range(GROUP):
            half = _total(sums, j)
            y[j] = half + half - sum_of_all
    else:
        _masked_outputs(w, masks, used, y)


@kernel
def _total(sums, j):  # type: ignore[no-untyped-def]
    """The sum over all lanes, in the order of ``simd.total``."""
    at, of_part = PART * j, SUMS * PART
    even = load_part(sums, at) + load_part(sums, at + 2 * of_part)
    odd = load_part(sums, at + of_part) + load_part(sums, at + 3 * of_part)
    return total(even + odd)


@kernel
def _masked_outputs(w, masks, used, y):  # type: ignore[no-untyped-def]
    """``_outputs`` by additions of those weights alone whose bit is set, weight by weight."""
    blocks = len(w) // LANES
    lanes = np.empty((2, LANES), w.dtype)
    for j in range(GROUP):
        lanes[:] = 0
        for i in range(used):
            at = PART * (blocks * (i % LANES // PART) + i // LANES) + i % PART
            lanes[0, i % LANES] += w[at]
            if masks[LANES * (GROUP * (at // LANES) + j) + at % LANES]:
                lanes[1, i % LANES] += w[at]
        half = LANES // 2
        while half:
            lanes[:, :half] += lanes[:, half : 2 * half]
            half //= 2
        y[j] = lanes[1, 0] + lanes[1, 0] - lanes[0, 0]


@kernel
def _slopes(y, targets, signs, loss):  # type: ignore[no-untyped-def]
    """Slopes of a unit's hinge loss for a group of lattices; returns Σ c and the loss with theirs.

    Args:
        y: (GROUP,) outputs.
        targets: (GROUP or fewer,) int8.
        signs: (GROUP,) int8 that become c: -t where there is a slope, else 0.
        loss: the sum so far.
    """
    one, zero, sum_of_signs, bounded = y.dtype.type(1), y.dtype.type(0), 0, y.dtype.type(0)
    signs[:] = 0
    for j in range(len(targets)):
        bounded += y[j] * zero
    for j in range(len(targets)):
        t = targets[j]
        ty = y[j] * t if bounded == zero else (y[j] if t > 0 else (-y[j] if t < 0 else zero))
        margin = one - y.dtype.type(ty)
        sign = -t * np.int8(margin >= zero)  # at 0 the slope is -t, as torch's clamp has it
        signs[j] = sign
        sum_of_signs += sign
        loss += zero if margin < zero else margin
    return sum_of_signs, loss


@kernel
def _count(masks, signs, counts):  # type: ignore[no-untyped-def]
    """Add Σ c b over a group of lattices to ``counts``.

    Args:
        masks: of the lattices, see ``_spread``.
        signs: (GROUP,) int8, c.
        counts: (inputs,) int16.
    """
    a, b, c, d, e = (
        splat_byte(signs[0]), splat_byte(signs[1]), splat_byte(signs[2]), splat_byte(signs[3]),
        splat_byte(signs[4]),
    )  # fmt: skip
    f, g, h, i, j = (
        splat_byte(signs[5]), splat_byte(signs[6]), splat_byte(signs[7]), splat_byte(signs[8]),
        splat_byte(signs[9]),
    )  # fmt: skip
    for k in range(0, len(counts), LANES):
        times, at = splat_byte(np.int8(0)), GROUP * k
        times = add_where(times, masks, at, a)
        times = add_where(times, masks, at + LANES, b)
        times = add_where(times, masks, at + 2 * LANES, c)
        times = add_where(times, masks, at + 3 * LANES, d)
        times = add_where(times, masks, at + 4 * LANES, e)
        times = add_where(times, masks, at + 5 * LANES, f)
        times = add_where(times, masks, at + 6 * LANES, g)
        times = add_where(times, masks, at + 7 * LANES, h)
        times = add_where(times, masks, at + 8 * LANES, i)
        times = add_where(times, masks, at + 9 * LANES, j)
        add_bytes(counts, k, times)


@kernel
def _sums_of_tile(w, bits, first, masks, spins, sums):  # type: ignore[no-untyped-def]
    """Spread a group of lattices and add up for all units of a tile, part by part."""
    of_part = len(spins) // (SUMS * PARTS)
    _spread(bits, first, masks, spins)
    for part in range(PARTS):
        for u in range(len(w)):
            _add_up(
                w[u], of_part * part, spins[SUMS * of_part * part :], of_part // PART, sums[u],
                SUMS * PART * part,
            )  # fmt: skip


@kernel
def _train_tile(  # type: ignore[no-untyped-def]
    w, m, v, bits, targets, batch_size, units, step_sizes, constants, used, losses
):
    """``train_units`` for one tile; ``bits`` are (n + GROUP, width / LANES) uint32."""
    here, width = w.shape
    n, number = targets.shape[1], w.dtype.type
    state = np.empty((3, here, width + SPACE), w.dtype)[:, :, :width]
    weights, means, squares = state[0], state[1], state[2]
    weights[:], means[:], squares[:] = w, m, v
    masks, spins = np.empty(GROUP * width, np.uint8), np.empty(SUMS * width, w.dtype)
    _spread_ones(used, spins)
    sums, y = np.empty((here, PARTS * SUMS * PART), w.dtype), np.empty(GROUP, w.dtype)
    counts, signs = np.empty((here, width), np.int16), np.empty(GROUP, np.int8)
    sums_of_signs = np.empty(here, np.int64)
    losses[:] = 0
    for step in range(len(step_sizes)):
        first = step * batch_size
        end = min(first + batch_size, n)
        counts[:] = 0
        sums_of_signs[:] = 0
        for k in range(first, end, GROUP):
            _sums_of_tile(weights, bits, k, masks, spins, sums)
            for u in range(here):
                _outputs(weights[u], masks, used, sums[u], y)
                goals = targets[u, k : min(k + GROUP, end)]
                sum_of_signs, losses[u] = _slopes(y, goals, signs, losses[u])
                sums_of_signs[u] += sum_of_signs
                if signs.any():
                    _count(masks, signs, counts[u])
        slope = number(1 / ((end - first) * units))
        for u in range(here):
            _change(
                weights[u], means[u], squares[u], counts[u], sums_of_signs[u], slope,
                step_sizes[step], constants,
            )  # fmt: skip
    w[:], m[:], v[:] = weights, means, squares


@kernel
def _hinge_of_tile(w, bits, targets, used, losses):  # type: ignore[no-untyped-def]
    """``hinge_of_units`` for one tile."""
    here, width = w.shape
    weights = np.empty((here, width + SPACE), w.dtype)[:, :width]
    weights[:] = w
    masks, spins = np.empty(GROUP * width, np.uint8), np.empty(SUMS * width, w.dtype)
    _spread_ones(used, spins)
    sums, y = np.empty((here, PARTS * SUMS * PART), w.dtype), np.empty(GROUP, w.dtype)
    signs, n = np.empty(GROUP, np.int8), targets.shape[1]
    losses[:] = 0
    for k in range(0, n, GROUP):
        _sums_of_tile(weights, bits, k, masks, spins, sums)
        for u in range(here):
            _outputs(weights[u], masks, used, sums[u], y)
            _, losses[u] = _slopes(y, targets[u, k : min(k + GROUP, n)], signs, losses[u])


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
    """``shallow_bits.train_units``; weights that belong to no input do not stay 0."""
    bits = words.view(np.uint32)
    for k in range(0, len(w), TILE):
        tile = slice(k, k + TILE)
        _train_tile(
            w[tile], m[tile], v[tile], bits, targets[tile], batch_size, units, step_sizes,
            constants, used, losses[tile],
        )  # fmt: skip


def hinge_of_units(
    w: FloatArray,
    words: npt.NDArray[np.uint64],
    targets: npt.NDArray[np.int8],
    used: int,
    losses: npt.NDArray[np.float64],
) -> None:
    """``shallow_bits.hinge_of_units``."""
    for k in range(0, len(w), TILE):
        tile = slice(k, k + TILE)
        _hinge_of_tile(w[tile], words.view(np.uint32), targets[tile], used, losses[tile])
