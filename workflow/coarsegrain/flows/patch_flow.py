"""The hierarchical flow of Li and Wang: couplings on 2 x 2 patches, scale by scale.

S.-H. Li and L. Wang, Phys. Rev. Lett. 121, 260601 (2018), arXiv:1802.02840. An invertible net x(z)
takes latents z ~ N(0, 1), one for each site, to the fields x of a periodic L x L lattice, L = 2ᵏ:

    ln q₀(x) = ln N(z; 0, 1) − ln |det ∂x/∂z|.

Each scale has two layers, a disentangler and a decimator (``patches``), and each layer has one
bijector (``coupling_stack``), which all its patches share. As the energy is even, so is the flow:

    q(x) = ½ [q₀(x) + q₀(−x)],

of which a sample is one of q₀ with a random sign.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coarsegrain.flows.coupling_stack import CouplingStack, array_shapes
from coarsegrain.flows.flow import Array, Drawn, Fields
from coarsegrain.flows.patch_architecture import PatchArchitecture, Weights, check_weights
from coarsegrain.flows.patches import layers_of_patches

#: From the variables of patches (n, 4) to others, and ln |det| of the Jacobian, (n,).
Bijector = Callable[[Tensor], tuple[Tensor, Tensor]]

#: Sites that are computed at once outside of training: bounds the memory.
SITES = 2**18


class PatchFlow:
    """A flow, with parameters that can be trained.

    Args:
        architecture: its shape.
        weights: all its numbers by name, from ``starting_weights`` or another flow's ``weights()``.
        dtype: in which all is computed, float64 or float32.
        device: on which.
    Raises:
        ValueError: the weights are not those of this architecture.
    """

    def __init__(
        self,
        architecture: PatchArchitecture,
        weights: Weights,
        *,
        dtype: torch.dtype = torch.float64,
        device: str = "cpu",
    ) -> None:
        check_weights(architecture, weights)
        self.architecture = architecture
        self._dtype, self._device = dtype, torch.device(device)
        layers = layers_of_patches(architecture.L, architecture.scales)
        self._sites = [torch.tensor(each.reshape(-1), device=self._device) for each in layers]
        names = array_shapes(architecture.couplings, architecture.hidden)
        self._stacks = [
            CouplingStack(
                {name: weights[f"{k}.{name}"] for name in names}, dtype=dtype, device=self._device
            )
            for k in range(architecture.layers)
        ]

    @property
    def L(self) -> int:
        """Side of the lattice."""
        return self.architecture.L

    def parameters(self) -> list[Tensor]:
        """All that is learned, as leaves for an optimizer."""
        return [each for stack in self._stacks for each in stack.parameters()]

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """All numbers by name: uint8 masks, all else rounded to float32."""
        return {
            f"{k}.{name}": array
            for k, stack in enumerate(self._stacks)
            for name, array in stack.arrays().items()
        }

    def generate(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Fields of latents: x (n, L, L), and ln |det ∂x/∂z| (n,)."""
        bijectors = [stack.generate for stack in self._stacks]
        return _through_layers(z, self._sites[::-1], bijectors[::-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents of fields: z (n, L, L), and ln |det ∂z/∂x| (n,)."""
        return _through_layers(x, self._sites, [stack.inverse for stack in self._stacks])

    def log_density_of(self, x: Tensor) -> Tensor:
        """ln q(x) (n,) in nats of fields (n, L, L), with gradients."""
        return _mixed(self._log_q0(x), self._log_q0(-x))

    def draw_with_gradient(
        self, number: int, *, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Samples x (number, L, L) and ln q(x) (number,), as functions of the parameters.

        Args:
            number: of samples.
            generator: draws them; on the flow's device.
        """
        shape, device = (number, self.L, self.L), self._device
        z = torch.randn(shape, generator=generator, dtype=self._dtype, device=device)
        up = torch.randint(2, (number,), generator=generator, device=device)
        return self._samples(z, 2 * up - 1)

    def draw(self, number: int, *, seed: int) -> Drawn:
        """Independent samples of q, and ln q, computed in the flow's precision.

        The same for the same number and seed.
        """
        rng = np.random.default_rng(seed)
        drawn = Drawn(np.empty((number, self.L, self.L)), np.empty(number))
        for block in self._blocks(number):
            z = rng.standard_normal(drawn.fields[block].shape)
            signs = rng.choice([-1, 1], len(z))
            with torch.no_grad():
                x, log_q = self._samples(self._tensor(z), self._tensor(signs))
            drawn.fields[block], drawn.log_q[block] = x.cpu().numpy(), log_q.cpu().numpy()
        return drawn

    def log_density(self, fields: Fields) -> Array:
        """ln q(x) (n,) in nats of fields (n, L, L), computed in the flow's precision.

        Raises:
            ValueError: the fields have another shape.
        """
        self._check(fields)
        log_q = np.empty(len(fields))
        for block in self._blocks(len(fields)):
            with torch.no_grad():
                log_q[block] = self.log_density_of(self._tensor(fields[block])).cpu().numpy()
        return log_q

    def latents(self, fields: Fields, *, seed: int) -> Array:
        """Latents of fields (n, L, L), of x or of −x: see ``Flow``.

        The sign s has the probability q₀(sx) / [q₀(x) + q₀(−x)].

        Raises:
            ValueError: the fields have another shape.
        """
        self._check(fields)
        uniform = np.random.default_rng(seed).random(len(fields))
        found = np.empty(fields.shape)
        for block in self._blocks(len(fields)):
            x = self._tensor(fields[block])
            with torch.no_grad():
                (z, log_det), (reverse, log_det_reverse) = self.inverse(x), self.inverse(-x)
                odds = _log_normal(z) + log_det - _log_normal(reverse) - log_det_reverse
            up = self._tensor(uniform[block]) < torch.sigmoid(odds)
            found[block] = torch.where(up[:, None, None], z, reverse).cpu().numpy()
        return found

    def _check(self, fields: Fields) -> None:
        L = self.L
        if fields.ndim != 3 or fields.shape[1:] != (L, L):
            raise ValueError(
                f"fields of shape {fields.shape} were given to a flow of {L} x {L} sites; "
                f"they must be (n, {L}, {L})."
            )

    def _samples(self, z: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
        """Samples of q and ln q, from latents (n, L, L) and signs (n,)."""
        x, log_det = self.generate(z)
        log_q = _mixed(_log_normal(z) - log_det, self._log_q0(-x))
        return signs[:, None, None] * x, log_q

    def _log_q0(self, x: Tensor) -> Tensor:
        z, log_det = self.inverse(x)
        return _log_normal(z) + log_det

    def _blocks(self, number: int) -> Iterator[slice]:
        size = max(1, SITES // self.L**2)
        return (slice(start, start + size) for start in range(0, number, size))

    def _tensor(self, array: npt.NDArray[Any]) -> Tensor:
        return torch.tensor(array, dtype=self._dtype, device=self._device)


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


def _log_normal(z: Tensor) -> Tensor:
    """ln N(z; 0, 1) of every lattice, (n,)."""
    flat = z.reshape(len(z), -1)
    return -(flat**2).sum(1) / 2 - flat.shape[1] / 2 * math.log(2 * math.pi)


def _mixed(log_q0: Tensor, log_q0_reversed: Tensor) -> Tensor:
    """ln ½ [q₀(x) + q₀(−x)], (n,)."""
    return torch.logaddexp(log_q0, log_q0_reversed) - math.log(2)
