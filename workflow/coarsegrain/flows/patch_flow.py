"""The hierarchical flow of Li and Wang: couplings on 2 x 2 patches, scale by scale.

S.-H. Li and L. Wang, Phys. Rev. Lett. 121, 260601 (2018), arXiv:1802.02840. An invertible net x(z)
takes latents z ~ N(0, 1), one for each site, to the fields x of a periodic L x L lattice, L = 2ᵏ:

    ln q₀(x) = ln N(z; 0, 1) − ln |det ∂x/∂z|.

Each scale has two layers, a disentangler and a decimator (``patches``), and each layer has one
bijector (``coupling_stack``), which all its patches share. As the energy is even, so is the flow:

    q(x) = ½ [q₀(x) + q₀(−x)],

of which a sample is one of q₀ with a random sign.

All is computed in float32 by kernels that have an order of their own, so all processors give the
same bits.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.blocks import Blocks, blocks_of, of_blocks, parts, to_blocks
from coarsegrain.flows.dual_energy import Energy
from coarsegrain.flows.flow import FRESH, TRAINING, Array, Drawn, Fields, PassedOn, Step
from coarsegrain.flows.kernels.patches import HALF, PatchLayer, transform
from coarsegrain.flows.kernels.patches_gradient import transform_gradient
from coarsegrain.flows.patch_architecture import PatchArchitecture, Weights, check_weights
from coarsegrain.flows.patch_parameters import PatchParameters
from coarsegrain.flows.samples import (
    coarse,
    kept_of,
    log_normal,
    mixed,
    normal_numbers,
    share_of_reverse,
    times,
)
from coarsegrain.simd import LANES

#: The gradient is rounded where q₀(−x) has no more of q than this: blocks of such samples need no
#: derivatives of it. A trained flow prefers one sign by hundreds of nats.
NO_SHARE = 1e-9
#: Where nothing is kept.
_NO_ROOM = np.empty((0, 0), dtype=np.float32)


class _Scale(NamedTuple):
    """What is left of fields at a scale: variables (blocks, sites LANES), ln q₀ (blocks, LANES)."""

    x: Blocks
    log_q0: Array


class PatchFlow:
    """A flow, with parameters that can be trained.

    Attributes:
        architecture: its shape.
        parameters: (size,) float64, all that is learned; call ``refresh`` after a change.
    """

    def __init__(self, architecture: PatchArchitecture, weights: Weights) -> None:
        """Make a flow.

        Args:
            architecture: its shape.
            weights: all its numbers by name, from ``starting_weights`` or another flow's
                ``weights()``.
        Raises:
            ValueError: the weights are not those of this architecture.
        """
        check_weights(architecture, weights)
        self.architecture = architecture
        self._numbers = PatchParameters(architecture, weights)
        self.parameters = np.empty(self._numbers.size)
        for name, view in self._numbers.views(self.parameters).items():
            view[:] = weights[name]
        self.refresh()

    @property
    def L(self) -> int:
        """Side of the lattice."""
        return self.architecture.L

    def refresh(self) -> None:
        """Take over changed parameters."""
        self._layers = self._numbers.layers(self.parameters)

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """All numbers by name: uint8 masks, all else rounded to float32."""
        found = self._numbers.masks | self._numbers.views(self.parameters.astype(np.float32))
        return {name: found[name].copy() for name in self.architecture.array_shapes()}

    def views(self, array: Array) -> dict[str, Array]:
        """Parameters (size,), or derivatives by them, by name: views of the array."""
        return self._numbers.views(array)

    # Samples

    def draw(self, number: int, *, seed: int) -> Drawn:
        """Independent samples of q, and ln q: the same for the same number and seed."""
        fields, log_q, rng = [], [], np.random.default_rng(seed)
        for part in parts(number):
            first, blocks = part.start // LANES, blocks_of(len(part))
            x = normal_numbers(blocks, self.L, stream=FRESH, first=first, seed=seed)
            log_q0 = log_normal(x)
            log_q0 -= _through(self._layers[::-1], x, inverse=False)
            if self.architecture.symmetric:
                up = rng.random(log_q0.shape) < 0.5
                signs = np.where(up, np.float32(1), np.float32(-1))
                log_q0 = mixed(log_q0, self._log_q0(-x))
                x = times(x, signs)
            fields.append(of_blocks(x, self.L))
            log_q.append(log_q0.reshape(-1))
        return Drawn(np.concatenate(fields)[:number], np.concatenate(log_q)[:number])

    def log_density(self, fields: Fields) -> Array:
        """ln q(x) (n,) in nats of fields (n, L, L).

        Raises:
            ValueError: the fields have another shape.
        """
        self._check(fields)
        found = []
        for part in parts(len(fields)):
            x = to_blocks(fields[part.start : part.stop])
            log_q = self._log_q0(x.copy())
            if self.architecture.symmetric:
                log_q = mixed(log_q, self._log_q0(-x))
            found.append(log_q.reshape(-1))
        return np.concatenate(found)[: len(fields)]

    def latents(self, fields: Fields, *, seed: int) -> Array:
        """Latents of fields (n, L, L), of x or of −x: see ``Flow``.

        The sign s has the probability q₀(sx) / [q₀(x) + q₀(−x)].

        Raises:
            ValueError: the fields have another shape.
        """
        return self._scales(fields, seed=seed)[0][0]

    def passed_on(self, fields: Fields, *, seed: int) -> list[PassedOn]:
        """What the layers of scales 0 … s − 1 pass on, s = 1 … depth, of fields (n, L, L).

        Its density is that of the flow that the coarser layers make on its sites. See ``Flow``; the
        sign is that of ``latents``.

        Raises:
            ValueError: the fields have another shape.
        """
        scales = self._scales(fields, seed=seed)[1:]
        return [PassedOn(s, x, log_q) for s, (x, log_q) in enumerate(scales, 1)]

    def _scales(self, fields: Fields, *, seed: int) -> list[tuple[Array, Array]]:
        """Latents and ln q₀ of the fields, and the same of what each scale passes on."""
        self._check(fields)
        rng, found = np.random.default_rng(seed), []
        for part in parts(len(fields)):
            x = to_blocks(fields[part.start : part.stop])
            scales = self._inverse(x.copy())
            if self.architecture.symmetric:
                reverse = self._inverse(-x)
                uniform = rng.random(scales[0].log_q0.shape)
                share = 1 - share_of_reverse(scales[0].log_q0, reverse[0].log_q0)
                pairs = zip(scales, reverse, strict=True)
                scales = [_chosen(uniform < share, *pair) for pair in pairs]
            sides = (self.L >> s for s in range(len(scales)))
            found.append(
                [(of_blocks(s.x, side), s.log_q0.reshape(-1)) for s, side in zip(scales, sides)]
            )
        n = len(fields)
        return [
            (np.concatenate([x for x, _ in each])[:n], np.concatenate([q for _, q in each])[:n])
            for each in zip(*found, strict=True)
        ]

    def _inverse(self, x: Blocks) -> list[_Scale]:
        """Latents of fields, with ln q₀; then of every scale what is passed on, with ln q₀."""
        L = self.L
        passed, log_dets = [], []
        for scale in range(self.architecture.scales):
            layers = self._layers[2 * scale : 2 * scale + 2]
            log_dets.append(_through(layers, x, inverse=True))
            passed.append(coarse(x, L, scale + 1))
        found, log_det = [], np.zeros_like(log_dets[0])
        for scale in range(self.architecture.scales, -1, -1):  # from ln N of the last latents on
            if scale < len(log_dets):
                log_det += log_dets[scale]
            fields = passed[scale - 1] if scale else x
            found.append(_Scale(fields, log_normal(coarse(x, L, scale)) + log_det))
        return found[::-1]

    def _log_q0(self, x: Blocks) -> Array:
        """ln q₀ (blocks, LANES) of fields, which become their latents."""
        log_det = _through(self._layers, x, inverse=True)
        return log_normal(x) + log_det

    def _check(self, fields: Fields) -> None:
        L = self.L
        if fields.ndim != 3 or fields.shape[1:] != (L, L):
            raise ValueError(
                f"fields of shape {fields.shape} were given to a flow of {L} x {L} sites; "
                f"they must be (n, {L}, {L})."
            )

    # The loss

    def step(
        self, samples: int, energy: Energy, *, step: int, seed: int, path: bool = False
    ) -> Step:
        """The loss of fresh samples, ln q(x) + E(x), and its gradient along their paths x(z).

        Loss and gradient are even, so all samples have the sign +.

        Args:
            samples: a multiple of 32.
            energy: of the target.
            step: number of the step: every one has random numbers of its own.
            seed: of all of them.
            path: leave out what the parameters do to ln q at fixed x, which has the mean 0.
        """
        blocks, layers = samples // LANES, self._layers
        of_layers = self._numbers.gradients()
        x = normal_numbers(blocks, self.L, stream=TRAINING, step=step, seed=seed)
        kept = self._kept(blocks)
        log_q = log_normal(x)
        log_q -= _through(layers[::-1], x, inverse=False, kept=kept[::-1])
        loss, gx = energy(x)
        share = np.zeros_like(log_q)  # of q₀(−x) in q
        if self.architecture.symmetric:
            z, kept_there = -x, self._kept(blocks)
            log_det = _through(layers, z, inverse=True, kept=kept_there)
            reverse = log_normal(z) + log_det
            share, log_q = share_of_reverse(log_q, reverse), mixed(log_q, reverse)
            some = np.any(share > NO_SHARE, axis=1)
            if some.any():
                kept_there = [kept_of(each, some) for each in kept_there]
                gx[some] -= self._score(z[some], kept_there, share[some], of_layers, learn=not path)
        if path:
            z, kept_there = x.copy(), self._kept(blocks)
            _through(layers, z, inverse=True, kept=kept_there)
            gx += self._score(z, kept_there, 1 - share, of_layers, learn=False)
        weight = np.zeros_like(share) if path else share - 1
        for layer, before, g in zip(layers, kept, of_layers, strict=True):
            transform_gradient(layer, x, False, before, gx, weight.astype(np.float32), True, g)
        gradient = self._numbers.gradient(of_layers) / samples
        return Step(loss + log_q.reshape(-1), gradient)

    def _score(
        self, z: Blocks, kept: list[Blocks], weight: Array, of_layers: list[Array], *, learn: bool
    ) -> Blocks:
        """Derivatives of weight · ln q₀(x) by x, of latents z of x, which become x.

        Args:
            z: (blocks, N LANES).
            kept: of the layers' inverse.
            weight: (blocks, LANES).
            of_layers: to which derivatives by the layers' numbers are added, if wanted.
            learn: whether they are.
        """
        rounded = weight.astype(np.float32)
        gx = times(-z, rounded)
        for layer, before, g in reversed(list(zip(self._layers, kept, of_layers, strict=True))):
            transform_gradient(layer, z, True, before, gx, rounded, learn, g)
        return gx

    def _kept(self, blocks: int) -> list[Blocks]:
        """For the variables that each layer's couplings change, as they were."""
        shapes = [
            (len(layer.order), blocks * len(layer.sites) * HALF * LANES) for layer in self._layers
        ]
        return [np.empty(shape, dtype=np.float32) for shape in shapes]


def _through(
    layers: list[PatchLayer], x: Blocks, *, inverse: bool, kept: list[Blocks] | None = None
) -> Array:
    """Apply layers one after the other, in place; ln |det| of the Jacobian, (blocks, LANES)."""
    log_det = np.zeros((len(x), LANES), dtype=np.float32)
    for k, layer in enumerate(layers):
        room = _NO_ROOM if kept is None else kept[k]
        transform(layer, x, inverse, kept is not None, room, log_det)
    return log_det.astype(np.float64)


def _chosen(up: npt.NDArray[np.bool_], scale: _Scale, reverse: _Scale) -> _Scale:
    """Of two ways of the same samples one each, by (blocks, LANES)."""
    shape = len(scale.x), -1, LANES
    x = np.where(up[:, None], scale.x.reshape(shape), reverse.x.reshape(shape))
    return _Scale(x.reshape(scale.x.shape), np.where(up, scale.log_q0, reverse.log_q0))
