"""Dense layers of small nets at many places: their outputs, and sums of derivatives by weights.

Products are fused multiply-adds, sums in the order of the code. Rows and columns are computed as
many at once as leave their sums and factors in the registers of AVX2, where a vector takes four.
"""

import numpy as np

from coarsegrain.flows.kernels.fused import elu
from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    PART,
    broadcast,
    load,
    load_part,
    multiply_add,
    splat,
    store,
)

F32 = np.float32


@kernel
def dense(weights, at, K, J, biased, bent, places, inputs, of_input, outputs, to):  # type: ignore[no-untyped-def]
    """``outputs[p, j] = Σ_k weights[j, k] inputs[p, k]``, two rows at once.

    Args:
        weights: in which (J, K) weights and J biases stand from ``at`` on.
        at: see above.
        K: inputs.
        J: outputs.
        biased: whether the biases are added.
        bent: whether the outputs are those of ELU.
        places: number of p.
        inputs: in which (places, K) vectors stand from ``of_input`` on.
        of_input: see above.
        outputs: (places, J) vectors, filled from ``to`` on.
        to: see above.
    """
    zero = splat(F32(0))
    for p in range(places):
        first = of_input + LANES * K * p
        for j in range(0, J, 2):
            two = min(j + 1, J - 1)
            s0, s1 = zero, zero
            if biased:
                s0, s1 = broadcast(weights, at + J * K + j), broadcast(weights, at + J * K + two)
            for k in range(K):
                v = load(inputs, first + LANES * k)
                s0 = multiply_add(broadcast(weights, at + K * j + k), v, s0)
                s1 = multiply_add(broadcast(weights, at + K * two + k), v, s1)
            if bent:
                s0, s1 = elu(s0), elu(s1)
            store(outputs, to + LANES * (J * p + j), s0)
            store(outputs, to + LANES * (J * p + two), s1)


@kernel
def add_outer(left, of_left, J, right, of_right, K, places, sums, at):  # type: ignore[no-untyped-def]
    """Add Σ_p left[p, j] right[p, k] to the (J, K) sums from ``at`` on, each a part of a vector.

    Two rows and five columns at once: on AVX2 their sums and factors fit the registers.
    """
    for j in range(0, J, 2):
        two = min(j + 1, J - 1)
        for k in range(0, K, 5):
            k1, k2, k3, k4 = (
                min(k + 1, K - 1),
                min(k + 2, K - 1),
                min(k + 3, K - 1),
                min(k + 4, K - 1),
            )
            row, next_row = at + PART * K * j, at + PART * K * two
            a0, b0 = load_part(sums, row + PART * k), load_part(sums, next_row + PART * k)
            a1, b1 = load_part(sums, row + PART * k1), load_part(sums, next_row + PART * k1)
            a2, b2 = load_part(sums, row + PART * k2), load_part(sums, next_row + PART * k2)
            a3, b3 = load_part(sums, row + PART * k3), load_part(sums, next_row + PART * k3)
            a4, b4 = load_part(sums, row + PART * k4), load_part(sums, next_row + PART * k4)
            for p in range(places):
                of_p, from_p = of_left + LANES * J * p, of_right + LANES * K * p
                for part in range(0, LANES, PART):
                    u = load_part(left, of_p + LANES * j + part)
                    v = load_part(left, of_p + LANES * two + part)
                    x = load_part(right, from_p + LANES * k + part)
                    a0, b0 = multiply_add(u, x, a0), multiply_add(v, x, b0)
                    x = load_part(right, from_p + LANES * k1 + part)
                    a1, b1 = multiply_add(u, x, a1), multiply_add(v, x, b1)
                    x = load_part(right, from_p + LANES * k2 + part)
                    a2, b2 = multiply_add(u, x, a2), multiply_add(v, x, b2)
                    x = load_part(right, from_p + LANES * k3 + part)
                    a3, b3 = multiply_add(u, x, a3), multiply_add(v, x, b3)
                    x = load_part(right, from_p + LANES * k4 + part)
                    a4, b4 = multiply_add(u, x, a4), multiply_add(v, x, b4)
            store(sums, row + PART * k, a0)
            store(sums, next_row + PART * k, b0)
            store(sums, row + PART * k1, a1)
            store(sums, next_row + PART * k1, b1)
            store(sums, row + PART * k2, a2)
            store(sums, next_row + PART * k2, b2)
            store(sums, row + PART * k3, a3)
            store(sums, next_row + PART * k3, b3)
            store(sums, row + PART * k4, a4)
            store(sums, next_row + PART * k4, b4)


@kernel
def add_all(left, of_left, J, places, sums, at):  # type: ignore[no-untyped-def]
    """Add Σ_p left[p, j] to the J sums from ``at`` on, each a part of a vector."""
    for j in range(J):
        s = load_part(sums, at + PART * j)
        for p in range(places):
            for part in range(0, LANES, PART):
                s = s + load_part(left, of_left + LANES * (J * p + j) + part)
        store(sums, at + PART * j, s)
