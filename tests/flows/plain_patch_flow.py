"""The flow by patches in plain PyTorch, by the formulas: oracle of the kernels, peer in benchmarks.

All patches of a layer and all samples are one batch of tensors, in the precision of the flow, and
autograd makes the gradients.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import elu

from coarsegrain.flows.coupling_stack import array_shapes
from coarsegrain.flows.patch_architecture import PatchArchitecture, Weights, starting_weights
from coarsegrain.flows.patches import layers_of_patches

Array = npt.NDArray[Any]
Energy = Callable[[Tensor], Tensor]
#: From the variables of patches (n, 4) to others, and ln |det| of the Jacobian, (n,).
Bijector = Callable[[Tensor], tuple[Tensor, Tensor]]


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
    """The bijector of a layer, of its arrays by name."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors

    def couplings(self) -> list[AffineCoupling]:
        """The couplings, in the order from latents to fields."""
        each = {name: tensor.unbind() for name, tensor in self.tensors.items()}
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


class PlainPatchFlow:
    """A flow whose arrays are tensors by name, all but the masks with gradients."""

    def __init__(
        self, architecture: PatchArchitecture, weights: Weights, dtype: torch.dtype = torch.float64
    ) -> None:
        self.architecture = architecture
        self.tensors = {
            name: torch.tensor(array, dtype=dtype).requires_grad_(not name.endswith("kept"))
            for name, array in weights.items()
        }
        self.stacks = _stacks(architecture, self.tensors)
        layers = layers_of_patches(architecture.L, architecture.scales)
        self._sites = [torch.tensor(each.reshape(-1)) for each in layers]

    def parameters(self) -> dict[str, Tensor]:
        """All that is learned, by name."""
        return {name: each for name, each in self.tensors.items() if each.requires_grad}

    def generate(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Fields of latents: x (n, L, L), and ln |det ∂x/∂z| (n,)."""
        bijectors = [stack.generate for stack in self.stacks]
        return _through_layers(z, self._sites[::-1], bijectors[::-1])

    def inverse(self, x: Tensor, *, scales: int | None = None) -> tuple[Tensor, Tensor]:
        """Latents of fields, or what the finest scales make of them, and ln |det| (n,)."""
        end = None if scales is None else 2 * scales
        bijectors = [stack.inverse for stack in self.stacks[:end]]
        return _through_layers(x, self._sites[:end], bijectors)

    def log_q0(self, x: Tensor) -> Tensor:
        """ln q₀(x), (n,)."""
        z, log_det = self.inverse(x)
        return log_normal(z) + log_det

    def log_density(self, x: Tensor) -> Tensor:
        """ln q(x), (n,)."""
        return self._mixed(self.log_q0(x), x)

    def loss(self, z: Tensor, energy: Energy, *, path: bool = False) -> Tensor:
        """ln q(x) + E(x) of the samples x(z), (n,)."""
        x, log_det = self.generate(z)
        if path:  # no derivative of ln q by the parameters at fixed x
            fixed = PlainPatchFlow.__new__(PlainPatchFlow)
            fixed.architecture, fixed._sites = self.architecture, self._sites
            detached = {name: tensor.detach() for name, tensor in self.tensors.items()}
            fixed.stacks = _stacks(self.architecture, detached)
            return fixed.log_density(x) + energy(x)
        return self._mixed(log_normal(z) - log_det, x) + energy(x)

    def _mixed(self, log_q0: Tensor, x: Tensor) -> Tensor:
        if not self.architecture.symmetric:
            return log_q0
        return torch.logaddexp(log_q0, self.log_q0(-x)) - math.log(2)


def bent_weights(architecture: PatchArchitecture, *, seed: int = 1) -> dict[str, Array]:
    """As far from a flow's start as training takes it: scales are not 0."""
    weights = starting_weights(architecture, seed=seed)
    rng = np.random.default_rng(seed + 100)
    for name, array in weights.items():
        if name.endswith("scale"):
            array += rng.normal(0, 0.4, array.shape).astype(np.float32)
    return weights


def dual_energy(spectrum: Array, *, dtype: torch.dtype = torch.float64) -> Energy:
    """E(x) = ½ xᵀK⁻¹x − Σ ln cosh x of fields (n, L, L), with gradients.

    Args:
        spectrum: (L, L) eigenvalues of K by wave vector.
        dtype: of the fields.
    """
    inverse = torch.tensor(1 / spectrum, dtype=dtype)
    sites = spectrum.size

    def energy(x: Tensor) -> Tensor:
        waves = torch.fft.fft2(x)
        quadratic = (torch.view_as_real(waves).square().sum(-1) * inverse).sum((1, 2)) / (2 * sites)
        size = x.abs()
        log_cosh = size + torch.log1p(torch.exp(-2 * size)) - math.log(2)
        return quadratic - log_cosh.sum((1, 2))

    return energy


def log_normal(z: Tensor) -> Tensor:
    """ln N(z; 0, 1) of every lattice, (n,)."""
    flat = z.reshape(len(z), -1)
    return -(flat**2).sum(1) / 2 - flat.shape[1] / 2 * math.log(2 * math.pi)


def _stacks(architecture: PatchArchitecture, tensors: Mapping[str, Tensor]) -> list[CouplingStack]:
    names = array_shapes(architecture.couplings, architecture.hidden)
    return [
        CouplingStack({name: tensors[f"{k}.{name}"] for name in names})
        for k in range(architecture.layers)
    ]


def _through_layers(
    fields: Tensor, sites_of_layers: Sequence[Tensor], bijectors: Sequence[Bijector]
) -> tuple[Tensor, Tensor]:
    """Apply layers one after the other, each to all patches of all lattices at once."""
    n = len(fields)
    x, log_det = fields.reshape(n, -1), fields.new_zeros(n)
    for sites, bijector in zip(sites_of_layers, bijectors, strict=True):
        patches, change = bijector(x.index_select(1, sites).reshape(-1, 4))
        x = x.index_copy(1, sites, patches.reshape(n, -1))
        log_det = log_det + change.reshape(n, -1).sum(1)
    return x.reshape(fields.shape), log_det
