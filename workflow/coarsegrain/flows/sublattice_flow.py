"""The flow by sublattices on a CPU: drawing, densities, and the loss that trains it.

Everything here has an order of its own, so all processors give the same bits: kernels, and sums of
arrays.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from coarsegrain.flows.architecture import SHIFTS, Architecture
from coarsegrain.flows.blocks import Blocks, blocks_of, of_blocks, parts, to_blocks
from coarsegrain.flows.circulant import CirculantMatrix
from coarsegrain.flows.coarse_variables import SITES, transform
from coarsegrain.flows.flow import FRESH, TRAINING, Array, Drawn, Fields, PassedOn, Step
from coarsegrain.flows.kernels import base
from coarsegrain.flows.kernels.coupling import Coupling, couple_all, uncouple_all
from coarsegrain.flows.kernels.coupling_gradient import couple_gradient_all, couple_score_all
from coarsegrain.flows.kernels.separable import multiply_axes
from coarsegrain.flows.samples import normal_numbers
from coarsegrain.flows.some_latents import log_density_of_some
from coarsegrain.simd import LANES

_LOG_TWO_PI = math.log(2 * math.pi)


class SublatticeFlow:
    """A flow with its parameters; see ``architecture``."""

    def __init__(self, architecture: Architecture, spectrum: Array, parameters: Array) -> None:
        """Make a flow.

        Args:
            architecture: what it is made of.
            spectrum: (L, L) eigenvalues of the coupling matrix K by wave vector: the circulant
                matrix starts as √K.
            parameters: (size,), as ``architecture.shapes`` has them.
        """
        self.architecture, self.spectrum = architecture, spectrum
        self.parameters = np.array(parameters, dtype=np.float64)
        self._layers = architecture.layers
        # by the lattice's step and whether it is turned, row by row
        self._matrices = {
            (step, turned): (matrix.T if turned else matrix).astype(np.float32).reshape(-1)
            for step in architecture.transforms[0]
            for matrix in [transform(architecture.passes, architecture.L // step)]
            for turned in (False, True)
        }
        self.refresh()

    @property
    def L(self) -> int:
        """Side of the lattice."""
        return self.architecture.L

    def refresh(self) -> None:
        """Take over changed parameters."""
        weights = self.parameters.astype(np.float32)
        views = self.architecture.views(weights)
        self._couplings = [
            Coupling(
                self.architecture.hidden,
                self.architecture.of_spline,
                self.architecture.of_coupling(weights, k),
                _turned(views, k),
                *layer,
            )
            for k, layer in enumerate(self._layers)
        ]
        self._modes, self._mean = views["modes"].copy(), views["mean"].copy()
        self._matrix = CirculantMatrix(self.spectrum, self.architecture.orbits, views["spectrum"])

    # Samples

    def draw(self, number: int, *, seed: int) -> Drawn:
        """Fresh samples, of both signs, with ln q."""
        fields, log_q = [], []
        for part in parts(number):
            blocks, first = blocks_of(len(part)), part.start // LANES
            x, log_density = self._forwards(
                normal_numbers(blocks, self.L, stream=FRESH, first=first, seed=seed)
            )
            fields.append(of_blocks(x, self.L))
            log_q.append(log_density.reshape(-1))
        return Drawn(np.concatenate(fields)[:number], np.concatenate(log_q)[:number])

    def log_density(self, fields: Fields) -> Array:
        """ln q of fields (n, L, L), in nats."""
        found = []
        for w, log_slope in self._backwards(fields):
            log_q = np.empty_like(log_slope)
            base.log_density_of_latent(w, self._modes, self._mean, log_q)
            found.append(self._log_density(log_q, log_slope).reshape(-1))
        return np.concatenate(found)[: len(fields)]

    def latents(self, fields: Fields, *, seed: int) -> Array:
        """Latent variables of fields (n, L, L), without the two modes of their mean: see ``Flow``.

        Each stands at a site of its scale. In which of the modes a field is, is drawn.
        """
        rng, found = np.random.default_rng(seed), []
        for w, log_slope in self._backwards(fields):
            uniform = rng.random(log_slope.shape, dtype=np.float32)
            base.without_modes(w, uniform, self._modes, self._mean)
            self._transform(0, w)
            found.append(of_blocks(w, self.L))
        return np.concatenate(found)[: len(fields)]

    def passed_on(self, fields: Fields, *, seed: int) -> list[PassedOn]:
        """What every scale passes on to the next, down to 2 x 2 sites: see ``Flow``.

        Nothing is drawn: the map is odd, its density even.
        """
        scales = range(1, self.architecture.scales)
        found: list[list[tuple[Array, Array]]] = [[] for _ in scales]
        for part in parts(len(fields)):
            w = self._matrix.times(to_blocks(fields[part.start : part.stop]), -1)
            passed: list[Array] = []
            log_slopes: list[Blocks] = []
            for k in reversed(range(len(self._couplings))):
                if (k + 1) % self.architecture.couplings == 0:  # a scale begins
                    log_slopes.append(np.zeros((len(w), LANES), dtype=np.float32))
                uncouple_all(self._couplings[k], w, log_slopes[-1])
                if k % self.architecture.couplings == 0 < k:
                    self._transform_back(k, w)
                    passed.append(self._sites(w, len(passed) + 1))
            for s, y in zip(scales, passed):
                log_q = self._log_density_of_some(w, s)
                for log_slope in log_slopes[s:]:
                    log_q -= log_slope.reshape(-1)
                found[s - 1].append((y, log_q))
        return [
            PassedOn(s, *(np.concatenate(each)[: len(fields)] for each in zip(*of_scale)))
            for s, of_scale in zip(scales, found)
        ]

    def latents_by_scale(self, fields: Fields) -> Array:
        """Latent variables (n, L, L), each at a site of its scale, with the modes of their mean."""
        found = []
        for w, _ in self._backwards(fields):
            self._transform(0, w)
            found.append(of_blocks(w, self.L))
        return np.concatenate(found)[: len(fields)]

    def _sites(self, w: Blocks, scale: int) -> Array:
        return of_blocks(w, self.L)[:, :: 2**scale, :: 2**scale]

    def _log_density_of_some(self, w: Blocks, scale: int) -> Array:
        """ln q of the latent variables (by scale) of a scale and all coarser ones."""
        some = self._sites(w, scale).reshape(len(w) * LANES, -1)
        if self.architecture.passes == SITES:
            return log_density_of_some(some, self.L**2, self._modes, self._mean)
        # the mean of all is the mean of coarse variables: what is left out is normal
        whole = w.copy()
        self._transform_back(0, whole)
        log_q = np.empty((len(w), LANES), dtype=np.float32)
        base.log_density_of_latent(whole, self._modes, self._mean, log_q)
        squares = (of_blocks(w, self.L) ** 2).sum(axis=(1, 2)) - (some**2).sum(axis=1)
        return np.asarray(log_q.reshape(-1) + (squares - some.shape[1] * _LOG_TWO_PI) / 2)

    def _backwards(self, fields: Fields) -> Iterator[tuple[Blocks, Blocks]]:
        """Latent variables with two modes, and the couplings' Σ ln slope, part by part."""
        for part in parts(len(fields)):
            w = self._matrix.times(to_blocks(fields[part.start : part.stop]), -1)
            log_slope = np.zeros((len(w), LANES), dtype=np.float32)
            self._uncouple(w, log_slope)
            yield w, log_slope

    def _forwards(self, z: Blocks) -> tuple[Blocks, Array]:
        """Fields of both signs of normal numbers, which are written over, and ln q."""
        sign = np.ones((len(z), LANES), dtype=np.float32)
        sign[:, 1::2] = -1  # every second one
        kept, log_q = np.empty_like(sign), np.empty_like(sign)
        base.with_modes(z, sign, self._modes, self._mean, kept, log_q)
        log_slope = np.zeros_like(log_q)
        self._couple(z, log_slope)
        return self._matrix.times(z), self._log_density(log_q, log_slope)

    def _log_density(self, log_q: Blocks, log_slope: Blocks) -> Array:
        constant = self.architecture.L**2 / 2 * _LOG_TWO_PI + self._matrix.log_det
        return log_q.astype(np.float64) - log_slope.astype(np.float64) - constant

    # The loss

    def step(self, samples: int, *, step: int, seed: int, path: bool = True) -> Step:
        """The loss of fresh samples, ln q(x) + E(x) with the dual's energy, and its gradient.

        Probability density distillation: the mean is KL(q‖p) − ln Z. Its gradient is taken along
        the paths x(z) of the samples, with or without what the parameters do to ln q at fixed x:
        the mean of that is 0. Without it, the noise vanishes where q is p (G. Roeder, Y. Wu and
        D. Duvenaud, NeurIPS 2017, arXiv:1703.09194; L. Vaitl, K. Nicoli, S. Nakajima and P. Kessel,
        ICML 2022).

        Args:
            samples: a multiple of 32.
            step: number of the step: every one has random numbers of its own.
            seed: of all of them.
            path: leave out what has the mean 0.
        """
        blocks = samples // LANES
        w = normal_numbers(blocks, self.L, stream=TRAINING, step=step, seed=seed)
        sign = np.ones((blocks, LANES), dtype=np.float32)
        epsilon, log_q = np.empty_like(sign), np.empty_like(sign)
        base.with_modes(w, sign, self._modes, self._mean, epsilon, log_q)
        log_slope = np.zeros_like(log_q)
        kept = [self._kept(blocks, coupling) for coupling in self._couplings]
        score = np.zeros_like(w)
        gradient = np.zeros(self.architecture.size)
        g = self.architecture.views(gradient)
        if path:
            base.score_of_latent(w, self._modes, self._mean, score, False, g["modes"], g["mean"])
        for k, coupling in enumerate(self._couplings):
            self._transform(k, w, score)
            if path:
                into = self.architecture.of_coupling(gradient, k)
                couple_score_all(coupling, w, kept[k], score, log_slope, False, into)
            else:
                couple_all(coupling, w, kept[k], log_slope)

        energy, gw, g["spectrum"][:] = self._matrix.energy(w, score)
        if not path:
            g["spectrum"][:] -= samples * self._matrix.sizes()
        loss = energy + self._log_density(log_q, log_slope).reshape(-1)
        weight = 0 if path else 1
        of_slope = np.full((blocks, LANES), -weight, dtype=np.float32)
        for k in reversed(range(len(self._couplings))):
            into = self.architecture.of_coupling(gradient, k)
            couple_gradient_all(self._couplings[k], w, kept[k], gw, of_slope, True, into)
            self._transform_back(k, w, gw)
        base.with_modes_gradient(
            gw, epsilon, np.float32(weight), self._modes, self._mean, g["modes"], g["mean"]
        )
        gradient /= samples
        return Step(loss, gradient)

    def likelihood_step(self, fields: Fields) -> Step:
        """−ln q of samples of the target, and the gradient of its mean.

        The mean is KL(p‖q) and the entropy of p, which the parameters do not change.

        Args:
            fields: (samples, L, L), a multiple of 32.
        """
        samples = len(fields)
        x = to_blocks(fields)
        w = self._matrix.times(x, -1)
        log_q, log_slope = (np.zeros((len(w), LANES), dtype=np.float32) for _ in range(2))
        x_w = w.copy()
        self._uncouple(w, log_slope)
        base.log_density_of_latent(w, self._modes, self._mean, log_q)
        loss = -self._log_density(log_q, log_slope).reshape(-1)

        gradient = np.zeros(self.architecture.size)
        g = self.architecture.views(gradient)
        score, kept = np.empty_like(w), np.empty_like(w)
        base.score_of_latent(w, self._modes, self._mean, score, True, g["modes"], g["mean"])
        for k, coupling in enumerate(self._couplings):
            self._transform(k, w, score)
            into = self.architecture.of_coupling(gradient, k)
            couple_score_all(coupling, w, kept, score, log_slope, True, into)
        g["spectrum"][:] = self._matrix.derivatives(score, x_w) + samples * self._matrix.sizes()
        gradient /= samples
        return Step(loss, gradient)

    # The target by latent variables

    def latents_with_modes(self, fields: Fields) -> Array:
        """The latent variables w, with the two modes of their mean, of fields (n, L, L): (n, N)."""
        found = [of_blocks(w, self.L) for w, _ in self._backwards(fields)]
        return np.concatenate(found).reshape(-1, self.L**2)[: len(fields)]

    def fields_of(self, latents: Array) -> Array:
        """The fields x(w), (n, L, L), of latent variables w with two modes, (n, N)."""
        w = to_blocks(latents)
        self._couple(w, np.zeros((len(w), LANES), dtype=np.float32))
        return of_blocks(self._matrix.times(w), self.L)[: len(latents)]

    def latent_energy(self, latents: Array) -> tuple[Array, Array]:
        """What the dual's energy becomes for latent variables, and its gradient.

        U(w) = E(x(w)) − ln |det ∂x/∂w|: exp(−U)/Z is the target's density of w. Where q is p, it is
        that of the flow's own latent variables.

        Args:
            latents: (n, N) w, with two modes.
        Returns:
            U in nats, (n,), and ∂U/∂w, (n, N).
        """
        w = to_blocks(latents)
        log_slope = np.zeros((len(w), LANES), dtype=np.float32)
        kept = self._couple(w, log_slope)
        energy, gw, _ = self._matrix.energy(w, np.zeros_like(w))
        of_slope = np.full_like(log_slope, -1)
        unused = np.zeros(self.architecture.size)  # derivatives by the parameters
        for k in reversed(range(len(self._couplings))):
            into = self.architecture.of_coupling(unused, k)
            couple_gradient_all(self._couplings[k], w, kept[k], gw, of_slope, False, into)
            self._transform_back(k, w, gw)
        u = energy - log_slope.astype(np.float64).reshape(-1) - self._matrix.log_det
        n = len(latents)
        return u[:n], of_blocks(gw, self.L).reshape(-1, self.L**2)[:n]

    # The couplings, and the transforms between their scales

    def _couple(self, w: Blocks, log_slope: Blocks) -> list[Blocks]:
        """From latent variables to fields before the matrix; what couplings changed, before it."""
        kept = [self._kept(len(w), coupling) for coupling in self._couplings]
        for k, coupling in enumerate(self._couplings):
            self._transform(k, w)
            couple_all(coupling, w, kept[k], log_slope)
        return kept

    def _uncouple(self, w: Blocks, log_slope: Blocks) -> None:
        """The inverse."""
        for k in reversed(range(len(self._couplings))):
            uncouple_all(self._couplings[k], w, log_slope)
            self._transform_back(k, w)

    def _transform(self, k: int, *each: Blocks) -> None:
        """From coarse variables, and what was left out, to sites; before coupling 0 the reverse."""
        for step in self.architecture.transforms[k]:
            self._multiply(each, step, turned=k > 0)

    def _transform_back(self, k: int, *each: Blocks) -> None:
        for step in reversed(self.architecture.transforms[k]):
            self._multiply(each, step, turned=k == 0)

    def _multiply(self, each: Iterable[Blocks], step: int, *, turned: bool) -> None:
        for x in each:
            multiply_axes(x, self.L, step, self._matrices[step, turned])

    def _kept(self, blocks: int, coupling: Coupling) -> Blocks:
        return np.empty((blocks, len(coupling.changed) * LANES), dtype=np.float32)


def _turned(views: Mapping[str, Blocks], k: int) -> Blocks:
    """Transposed weights of coupling k: see ``Coupling``."""
    last = views[f"{k}.last"]
    parts = views[f"{k}.first"], views[f"{k}.second"], last[:SHIFTS], last[SHIFTS:]
    return np.concatenate([each.T.reshape(-1) for each in parts])
