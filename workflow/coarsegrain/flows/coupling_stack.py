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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import elu

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


@dataclass(frozen=True)
class AffineCoupling:
    """One coupling.

    Attributes:
        kept: (4,) m.
        scale: (4,) a.
        weights: of every dense layer, (2, inputs, outputs): net_s, net_t.
        biases: of every dense layer, (2, 1, outputs).
    """

    kept: Tensor
    scale: Tensor
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def generate(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the fields: (n, 4) to (n, 4), and ln e^s of every variable, (n, 4)."""
        s, t = self._scale_and_shift(y)
        return y * s.exp() + t, s

    def inverse(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the latents: (n, 4) to (n, 4), and ln e^(−s) of every variable, (n, 4)."""
        s, t = self._scale_and_shift(y)
        return (y - t) * (-s).exp(), -s

    def _scale_and_shift(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """(1 − m) s and (1 − m) t, (n, 4) each: 0 for the variables that are kept."""
        h = (self.kept * y).expand(2, -1, -1)  # one product for both nets
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            h = elu(torch.baddbmm(bias, h, weight))
        s, t = torch.baddbmm(self.biases[-1], h, self.weights[-1]).unbind()
        changed = 1 - self.kept
        return changed * self.scale * s.tanh(), changed * t


class CouplingStack:
    """The bijector of a layer.

    Args:
        arrays: by name, see the module.
        dtype: of the numbers and of all that is computed.
        device: where they lie.
    """

    def __init__(
        self, arrays: Mapping[str, Array], *, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._tensors = {
            name: torch.tensor(array, dtype=dtype, device=device).requires_grad_(name != "kept")
            for name, array in arrays.items()
        }

    def parameters(self) -> list[Tensor]:
        """All that is learned."""
        return [tensor for tensor in self._tensors.values() if tensor.requires_grad]

    def arrays(self) -> dict[str, Array]:
        """The arrays by name: uint8 masks, all else rounded to float32."""
        return {
            name: tensor.detach().cpu().numpy().astype("uint8" if name == "kept" else "float32")
            for name, tensor in self._tensors.items()
        }

    def couplings(self) -> list[AffineCoupling]:
        """The couplings, in the order from latents to fields."""
        each = {name: tensor.unbind() for name, tensor in self._tensors.items()}
        dense_layers = range(sum(name.startswith("weight.") for name in each))
        return [
            AffineCoupling(
                each["kept"][c],
                each["scale"][c],
                tuple(each[f"weight.{k}"][c] for k in dense_layers),
                tuple(each[f"bias.{k}"][c] for k in dense_layers),
            )
            for c in range(len(each["kept"]))
        ]

    def generate(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the fields: (n, 4) to (n, 4), and ln |det| of the Jacobian, (n,)."""
        y, log_scale = z, torch.zeros_like(z)
        for coupling in self.couplings():
            y, s = coupling.generate(y)
            log_scale = log_scale + s
        return y, log_scale.sum(-1)

    def inverse(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the latents: (n, 4) to (n, 4), and ln |det| of the Jacobian, (n,)."""
        z, log_scale = y, torch.zeros_like(y)
        for coupling in reversed(self.couplings()):
            z, s = coupling.inverse(z)
            log_scale = log_scale + s
        return z, log_scale.sum(-1)
