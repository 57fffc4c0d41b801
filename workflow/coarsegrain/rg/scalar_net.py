"""A small net from one number to one number, and its gradient, in float64.

y(x) = w₃·tanh(W₂ᵀ tanh(w₁ x + b₁) + b₂) + b₃, H units in each of the two hidden layers.

Sums are in the order of the loops below, whatever the processor: no BLAS, and numba neither
reorders nor fuses without fastmath. tanh and exp are the C library's, which may round the last bit
in another way on another processor.

All parameters lie in one array: w₁, b₁ (H each), W₂ (H × H, from the first layer's unit to the
second's), b₂, w₃ (H each), b₃.
"""

import math

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel

FloatArray = npt.NDArray[np.float64]


def number_of_parameters(hidden: int) -> int:
    """Of a net with ``hidden`` units in each hidden layer."""
    return hidden * hidden + 4 * hidden + 1


def start(hidden: int, *, rng: np.random.Generator) -> FloatArray:
    """Parameters to start from: Glorot's uniform weights, zero biases."""
    parameters = np.zeros(number_of_parameters(hidden))
    first = 2 * hidden
    outer, inner = math.sqrt(6 / (1 + hidden)), math.sqrt(6 / (2 * hidden))
    parameters[:hidden] = rng.uniform(-outer, outer, hidden)
    parameters[first : first + hidden**2] = rng.uniform(-inner, inner, hidden**2)
    parameters[-1 - hidden : -1] = rng.uniform(-outer, outer, hidden)
    return parameters


@kernel
def outputs(parameters, x, hidden_1, hidden_2, y):  # type: ignore[no-untyped-def]
    """The net's outputs; also what its hidden layers hold.

    Args:
        parameters: see the module.
        x: (n,) inputs.
        hidden_1: (n, H) where the first hidden layer goes.
        hidden_2: (n, H) where the second goes.
        y: (n,) where the outputs go.
    """
    n, H = hidden_1.shape
    w2 = 2 * H
    b2 = w2 + H * H
    w3 = b2 + H
    for s in range(n):
        for j in range(H):
            hidden_1[s, j] = math.tanh(parameters[j] * x[s] + parameters[H + j])
        for k in range(H):
            hidden_2[s, k] = parameters[b2 + k]
        for j in range(H):
            for k in range(H):
                hidden_2[s, k] += hidden_1[s, j] * parameters[w2 + j * H + k]
        y[s] = parameters[w3 + H]
        for k in range(H):
            hidden_2[s, k] = math.tanh(hidden_2[s, k])
            y[s] += parameters[w3 + k] * hidden_2[s, k]


@kernel
def gradient(parameters, x, hidden_1, hidden_2, by_y, result):  # type: ignore[no-untyped-def]
    """The gradient of a loss with respect to the parameters.

    Args:
        parameters: see the module.
        x: (n,) inputs.
        hidden_1: (n, H) from ``outputs``.
        hidden_2: (n, H) from ``outputs``.
        by_y: (n,) derivative of the loss with respect to every output.
        result: as ``parameters``, where the gradient goes.
    """
    n, H = hidden_1.shape
    w2 = 2 * H
    b2 = w2 + H * H
    w3 = b2 + H
    result[:] = 0.0
    by_second = np.empty(H)
    for s in range(n):
        result[w3 + H] += by_y[s]
        for k in range(H):
            result[w3 + k] += by_y[s] * hidden_2[s, k]
            by_second[k] = by_y[s] * parameters[w3 + k] * (1.0 - hidden_2[s, k] * hidden_2[s, k])
            result[b2 + k] += by_second[k]
        for j in range(H):
            by_first = 0.0
            for k in range(H):
                result[w2 + j * H + k] += hidden_1[s, j] * by_second[k]
                by_first += parameters[w2 + j * H + k] * by_second[k]
            by_first *= 1.0 - hidden_1[s, j] * hidden_1[s, j]
            result[j] += by_first * x[s]
            result[H + j] += by_first
