"""The flow by sublattices on a CPU: drawing, densities, and the loss that trains it.

Samples are worked on in blocks of 32, one per lane, as (blocks, N · 32) float32. Everything here
has an order of its own, so all processors give the same bits: kernels, sums of arrays and numpy's
transforms.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.architecture import SHIFTS, Architecture
from coarsegrain.flows.flow import Drawn, Fields
from coarsegrain.flows.kernels import base
from coarsegrain.flows.kernels.coupling import (
    Coupling,
    couple_all,
    couple_gradient_all,
    couple_score_all,
    uncouple_all,
)
from coarsegrain.flows.kernels.dual import log_cosh_and_tangent
from coarsegrain.simd import LANES
from coarsegrain.vector_math import exponentials, logarithms

Array = npt.NDArray[np.float64]
Blocks = npt.NDArray[np.float32]
Waves = npt.NDArray[np.complexfloating]

#: Samples that are drawn or evaluated at once.
AT_ONCE = 2048
#: Streams of random words: latent variables for training, and for fresh samples.
TRAINING, FRESH = 0, 1
_LOG_TWO_PI = math.log(2 * math.pi)


class Step(NamedTuple):
    """A loss and its gradient.

    Attributes:
        loss: (samples,) ln q(x) + E(x) in nats.
        gradient: (size,) of its mean.
    """

    loss: Array
    gradient: Array


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
        self.refresh()

    @property
    def L(self) -> int:
        """Side of the lattice."""
        return self.architecture.L

    def refresh(self) -> None:
        """Take over changed parameters."""
        views = self.architecture.views(self.parameters.astype(np.float32))
        self._couplings = [
            Coupling(
                views[f"{k}.first"],
                views[f"{k}.second"],
                views[f"{k}.last"],
                views[f"{k}.spline"],
                *layer,
            )
            for k, layer in enumerate(self._layers)
        ]
        self._modes, self._mean = views["modes"].copy(), views["mean"].copy()
        logs = logarithms(self.spectrum) / 2 + views["spectrum"][self.architecture.orbits]
        self._matrix = exponentials(logs[:, : self.architecture.L // 2 + 1])
        self._log_det = math.fsum(logs.reshape(-1).tolist())

    # Samples

    def draw(self, number: int, *, seed: int) -> Drawn:
        """Fresh samples, of both signs, with ln q."""
        fields, log_q = [], []
        for first, blocks in _parts(number):
            x, log_density = self._forwards(blocks, FRESH, 0, first // LANES, seed)
            fields.append(self._of_blocks(x))
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

        In which of the modes a field is, is drawn.
        """
        rng, found = np.random.default_rng(seed), []
        for w, log_slope in self._backwards(fields):
            uniform = rng.random(log_slope.shape, dtype=np.float32)
            base.without_modes(w, uniform, self._modes, self._mean)
            found.append(self._of_blocks(w))
        return np.concatenate(found)[: len(fields)]

    def _backwards(self, fields: Fields) -> Iterator[tuple[Blocks, Blocks]]:
        """Latent variables with two modes, and the couplings' Σ ln slope, part by part."""
        for first, blocks in _parts(len(fields)):
            w = self._circulant(self._to_blocks(fields[first : first + AT_ONCE], blocks), -1)
            log_slope = np.zeros((blocks, LANES), dtype=np.float32)
            for coupling in reversed(self._couplings):
                uncouple_all(coupling, w, log_slope)
            yield w, log_slope

    def _forwards(
        self, blocks: int, stream: int, step: int, first: int, seed: int
    ) -> tuple[Blocks, Array]:
        z = self._latent(blocks, stream, step, first, seed)
        sign = np.ones((blocks, LANES), dtype=np.float32)
        sign[:, 1::2] = -1  # every second one
        kept, log_q = np.empty_like(sign), np.empty_like(sign)
        base.with_modes(z, sign, self._modes, self._mean, kept, log_q)
        log_slope = np.zeros_like(log_q)
        for coupling in self._couplings:
            couple_all(coupling, z, self._kept(blocks, coupling), log_slope)
        return self._circulant(z, 1), self._log_density(log_q, log_slope)

    def _latent(self, blocks: int, stream: int, step: int, first: int, seed: int) -> Blocks:
        z = np.empty((blocks, self.architecture.L**2 * LANES), dtype=np.float32)
        key = np.uint64(seed & 0xFFFFFFFF), np.uint64((seed >> 32) & 0xFFFFFFFF)
        base.fill_with_normal_numbers(z, first, stream, step, *key)
        return z

    def _log_density(self, log_q: Blocks, log_slope: Blocks) -> Array:
        constant = self.architecture.L**2 / 2 * _LOG_TWO_PI + self._log_det
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
        w = self._latent(blocks, TRAINING, step, 0, seed)
        sign = np.ones((blocks, LANES), dtype=np.float32)
        epsilon, log_q = np.empty_like(sign), np.empty_like(sign)
        base.with_modes(w, sign, self._modes, self._mean, epsilon, log_q)
        log_slope = np.zeros_like(log_q)
        kept = [self._kept(blocks, coupling) for coupling in self._couplings]
        turned = [_turned(coupling) for coupling in self._couplings]
        score = np.zeros_like(w)
        gradient = np.zeros(self.architecture.size)
        g = self.architecture.views(gradient)
        if path:
            base.score_of_latent(w, self._modes, self._mean, score, False, g["modes"], g["mean"])
        for k, coupling in enumerate(self._couplings):
            if path:
                into = _of_coupling(g, k)
                couple_score_all(coupling, w, kept[k], score, log_slope, turned[k], False, into)
            else:
                couple_all(coupling, w, kept[k], log_slope)

        energy, gw, g["spectrum"][:] = self._energy(w, score)
        if not path:
            g["spectrum"][:] -= samples * np.bincount(self.architecture.orbits.reshape(-1))
        loss = energy + self._log_density(log_q, log_slope).reshape(-1)
        weight = 0 if path else 1
        of_slope = np.full((blocks, LANES), -weight, dtype=np.float32)
        for k in reversed(range(len(self._couplings))):
            into = _of_coupling(g, k)
            couple_gradient_all(self._couplings[k], w, kept[k], gw, of_slope, turned[k], True, into)
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
        samples, L = len(fields), self.architecture.L
        x = self._to_blocks(fields, samples // LANES)
        w = self._circulant(x, -1)
        log_q, log_slope = (np.zeros((len(w), LANES), dtype=np.float32) for _ in range(2))
        x_w = w.copy()
        for coupling in reversed(self._couplings):
            uncouple_all(coupling, w, log_slope)
        base.log_density_of_latent(w, self._modes, self._mean, log_q)
        loss = -self._log_density(log_q, log_slope).reshape(-1)

        gradient = np.zeros(self.architecture.size)
        g = self.architecture.views(gradient)
        score, kept = np.empty_like(w), np.empty_like(w)
        base.score_of_latent(w, self._modes, self._mean, score, True, g["modes"], g["mean"])
        for k, coupling in enumerate(self._couplings):
            into = _of_coupling(g, k)
            turned = _turned(coupling)
            couple_score_all(coupling, w, kept, score, log_slope, turned, True, into)
        shape = len(w), L, L, LANES
        score_k, w_k = (np.fft.rfft2(each.reshape(shape), axes=(1, 2)) for each in (score, x_w))
        g["spectrum"][:] = self._by_orbit(score_k, w_k)
        g["spectrum"][:] += samples * np.bincount(self.architecture.orbits.reshape(-1))
        gradient /= samples
        return Step(loss, gradient)

    # The target by latent variables

    def latents_with_modes(self, fields: Fields) -> Array:
        """The latent variables w, with the two modes of their mean, of fields (n, L, L): (n, N)."""
        found = [self._of_blocks(w) for w, _ in self._backwards(fields)]
        return np.concatenate(found).reshape(-1, self.L**2)[: len(fields)]

    def fields_of(self, latents: Array) -> Array:
        """The fields x(w), (n, L, L), of latent variables w with two modes, (n, N)."""
        w = self._to_blocks(latents, -(-len(latents) // LANES))
        log_slope = np.zeros((len(w), LANES), dtype=np.float32)
        for coupling in self._couplings:
            couple_all(coupling, w, self._kept(len(w), coupling), log_slope)
        return self._of_blocks(self._circulant(w, 1))[: len(latents)]

    def latent_energy(self, latents: Array) -> tuple[Array, Array]:
        """What the dual's energy becomes for latent variables, and its gradient.

        U(w) = E(x(w)) − ln |det ∂x/∂w|: exp(−U)/Z is the target's density of w. Where q is p, it is
        that of the flow's own latent variables.

        Args:
            latents: (n, N) w, with two modes.
        Returns:
            U in nats, (n,), and ∂U/∂w, (n, N).
        """
        w = self._to_blocks(latents, -(-len(latents) // LANES))
        log_slope = np.zeros((len(w), LANES), dtype=np.float32)
        kept = [self._kept(len(w), coupling) for coupling in self._couplings]
        for coupling, before in zip(self._couplings, kept):
            couple_all(coupling, w, before, log_slope)
        energy, gw, _ = self._energy(w, np.zeros_like(w))
        of_slope = np.full_like(log_slope, -1)
        unused = self.architecture.views(np.zeros(self.architecture.size))  # by the parameters
        for k in reversed(range(len(self._couplings))):
            turned, into = _turned(self._couplings[k]), _of_coupling(unused, k)
            couple_gradient_all(self._couplings[k], w, kept[k], gw, of_slope, turned, False, into)
        u = energy - log_slope.astype(np.float64).reshape(-1) - self._log_det
        n = len(latents)
        return u[:n], self._of_blocks(gw).reshape(-1, self.L**2)[:n]

    def _energy(self, w: Blocks, score: Blocks) -> tuple[Array, Blocks, Array]:
        """E of samples, and derivatives of the sum by the fields w before the matrix, x = C w.

        Args:
            w: fields before the matrix.
            score: more derivatives by them, added.
        Returns:
            (samples,); derivatives by w; (orbits,) by the logarithms of C's eigenvalues.
        """
        L = self.architecture.L
        half = L // 2 + 1
        shape = len(w), L, L, LANES
        matrix = self._matrix[:, :, None]
        inverse = (1 / self.spectrum[:, :half]).astype(np.float32)[:, :, None]
        w_k = np.fft.rfft2(w.reshape(shape), axes=(1, 2))
        x_k = w_k * matrix
        x = np.fft.irfft2(x_k, s=(L, L), axes=(1, 2)).reshape(w.shape)
        log_cosh, tangent = np.empty((len(w), LANES), dtype=np.float32), np.empty_like(w)
        log_cosh_and_tangent(x, log_cosh, tangent)
        solved = x_k * inverse
        quadratic = (_products(solved, x_k) * _pairs(L)[:, None]).sum(axis=(1, 2)) / (2 * L * L)
        slope = (solved - np.fft.rfft2(tangent.reshape(shape), axes=(1, 2))) * matrix
        gw = np.fft.irfft2(slope, s=(L, L), axes=(1, 2)).reshape(w.shape) + score
        slope += np.fft.rfft2(score.reshape(shape), axes=(1, 2))
        by_orbit = self._by_orbit(slope, w_k)
        energy = (quadratic - log_cosh).reshape(-1)
        return energy, np.ascontiguousarray(gw, dtype=np.float32), by_orbit

    def _by_orbit(self, left: Waves, right: Waves) -> Array:
        """Σ over samples of Re l̄ r by orbit of the wave vectors, of real fields: (orbits,)."""
        L = self.architecture.L
        products = _products(left, right).sum(axis=(0, 3)) * _pairs(L) / (L * L)
        orbits = self.architecture.orbits[:, : L // 2 + 1]
        return np.bincount(orbits.reshape(-1), products.reshape(-1)).astype(np.float64)

    # Layout

    def _kept(self, blocks: int, coupling: Coupling) -> Blocks:
        return np.empty((blocks, len(coupling.changed) * LANES), dtype=np.float32)

    def _circulant(self, x: Blocks, power: int) -> Blocks:
        L = self.architecture.L
        found = np.fft.rfft2(x.reshape(len(x), L, L, LANES), axes=(1, 2))
        found *= self._matrix[:, :, None] ** power
        y = np.fft.irfft2(found, s=(L, L), axes=(1, 2))
        return np.ascontiguousarray(y.reshape(x.shape), dtype=np.float32)

    def _of_blocks(self, x: Blocks) -> npt.NDArray[np.float64]:
        L = self.architecture.L
        fields = x.reshape(len(x), L * L, LANES).transpose(0, 2, 1)
        return fields.reshape(-1, L, L).astype(np.float64)

    def _to_blocks(self, fields: Fields, blocks: int) -> Blocks:
        filled = np.resize(
            np.asarray(fields, dtype=np.float32), (blocks * LANES, *fields.shape[1:])
        )
        return np.ascontiguousarray(
            filled.reshape(blocks, LANES, -1).transpose(0, 2, 1).reshape(blocks, -1)
        )


def _parts(number: int) -> Iterator[tuple[int, int]]:
    """Numbers of the first sample and of blocks, ``AT_ONCE`` samples at a time."""
    for first in range(0, number, AT_ONCE):
        yield first, -(-min(AT_ONCE, number - first) // LANES)


def _of_coupling(g: Mapping[str, Array], k: int) -> tuple[Array, ...]:
    """The derivatives by the weights of coupling k, as the kernels take them."""
    last = g[f"{k}.last"]
    return g[f"{k}.first"], g[f"{k}.second"], last[:SHIFTS], last[SHIFTS:], g[f"{k}.spline"]


def _pairs(L: int) -> Array:
    """How many wave vectors ±k each column of a transform of real fields stands for: (L/2 + 1,)."""
    pairs = np.full(L // 2 + 1, 2.0)
    pairs[[0, -1]] = 1
    return pairs


def _products(x: Waves, y: Waves) -> Array:
    """Re x̄ y of every number, in float64."""
    return np.asarray(x.real * y.real + x.imag * y.imag, dtype=np.float64)


def _turned(coupling: Coupling) -> tuple[Blocks, Blocks, Blocks, Blocks]:
    """Transposed weights: of the hidden units, of the next ones, of shifts and of the spline."""
    parts = coupling.first, coupling.second, coupling.last[:SHIFTS], coupling.last[SHIFTS:]
    first, second, shifts, numbers = (np.ascontiguousarray(each.T) for each in parts)
    return first, second, shifts, numbers
