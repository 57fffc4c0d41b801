"""A bijector of the four fields of a patch: affine couplings, one after the other.

L. Dinh, J. Sohl-Dickstein and S. Bengio, ICLR 2017, arXiv:1605.08803, eq. 9. From latents to fields

    y → m y + (1 − m) (y e^s + t),   s = a tanh(net_s(m y)),   t = net_t(m y),
    ln |det| = Σ (1 − m) s

with a mask m that is 1 for the two variables that are kept. The nets have ELU between their dense
layers. The factors a are learned, one for each output. They start at 0, so that s is 0: a new stack
shifts its variables and preserves volume, and the scales come in as fast as they lower the loss.

All numbers of a stack are in arrays by name: ``kept`` (couplings, 4), 0 or 1, and ``scale``, a, of
the same shape; of the k-th dense layer ``weight.k`` (couplings, 2, inputs, outputs) and ``bias.k``
(couplings, 2, 1, outputs), net_s before net_t.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Variables of a 2 x 2 patch.
VARIABLES = 4


def array_shapes(couplings: int, hidden: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The shapes of a stack's arrays, by name.

    Args:
        couplings: number of them.
        hidden: units in every hidden layer of a net.
    """
    sizes = (VARIABLES, *hidden, VARIABLES)
    shapes: dict[str, tuple[int, ...]] = {
        "kept": (couplings, VARIABLES),
        "scale": (couplings, VARIABLES),
    }
    for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        shapes[f"weight.{k}"] = (couplings, 2, inputs, outputs)
        shapes[f"bias.{k}"] = (couplings, 2, 1, outputs)
    return shapes


def starting_arrays(
    couplings: int, hidden: Sequence[int], *, rng: np.random.Generator
) -> dict[str, Array]:
    """Arrays of a new stack: uint8 masks, all else float32.

    Weights and biases are uniform in ±1/√inputs, as in ``torch.nn.Linear``, and a is 0. Even
    couplings keep a random half of the variables, odd ones the other half.

    Args:
        couplings: number of them.
        hidden: units in every hidden layer of a net.
        rng: draws masks and weights.
    """
    arrays: dict[str, Array] = {}
    for name, shape in array_shapes(couplings, hidden).items():
        kind, _, k = name.partition(".")
        if kind == "kept":
            arrays[name] = _alternating_masks(couplings, rng)
        elif kind == "scale":
            arrays[name] = np.zeros(shape, np.float32)
        else:
            inputs = (VARIABLES, *hidden)[int(k)]
            limit = 1 / math.sqrt(inputs)
            arrays[name] = rng.uniform(-limit, limit, shape).astype(np.float32)
    return arrays


def _alternating_masks(couplings: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    kept = np.zeros((couplings, VARIABLES), np.uint8)
    for k in range(couplings):
        if k % 2:
            kept[k] = 1 - kept[k - 1]
        else:
            kept[k, rng.permutation(VARIABLES)[: VARIABLES // 2]] = 1
    return kept
