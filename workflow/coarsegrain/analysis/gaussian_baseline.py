"""The best Gaussian approximation to the dual of the Ising model: what a flow has to beat.

q = N(μ1, S), with the same mean μ at every site and a covariance S that is the same for all
translations of the lattice, so that its eigenvalues S_k belong to the wave vectors of K's, K_k.
Its variational free energy has a closed form, with v = Σ_k S_k/N the variance of a single field,

    E_q[ln q + E] = −½ Σ_k (1 + ln 2πS_k) + ½ Σ_k S_k/K_k + N μ²/(2 K_0) − N ⟨ln cosh⟩,

where ⟨f⟩ = E f(μ + √v g), g ~ N(0, 1), is an integral in one dimension. By d⟨f⟩/dv = ½ ⟨f''⟩ it is
stationary where

    1/S_k = 1/K_k − c,   c = ⟨sech²⟩,   μ = K_0 ⟨tanh⟩:

two equations for c and μ, since c alone gives all S_k and v. There is a solution of mean 0, and at
low temperatures one of mean ±μ, which is the better one up to somewhat above T_c. As a function of
c and μ the free energy has the derivatives

    ∂/∂c = ½ (c − ⟨sech²⟩) Σ_k S_k²,   ∂/∂μ = N (μ/K_0 − ⟨tanh⟩),

by which it is minimized. Less −ln Z, it is the gap KL(q‖p).

**Symmetric.** q with mean +μ misses half of p. ½ N(μ1, S) + ½ N(−μ1, S) has the same E_q[E] and a
larger entropy:

    gap → gap − ln 2 + E ln(1 + e^(−2t)),   t ~ N(a, a),   a = N μ²/S_0,

t = μ Σ_i x_i/S_0 being half of ln q₊/q₋. That is no more than ln 2. To minimize this gap itself
would gain less than 0.003 nats more at L = 16 (0.12 at L = 4, T = 3.3).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.dual import DualIsing, Fields, log_cosh

Array = npt.NDArray[np.float64]

# Nodes of the trapezoidal rule for a normal variable. Its error is that of rounding while the
# standard deviation √v is below 20, that is for β up to 3.
_NODES = np.arange(-450, 451) / 50
_WEIGHTS = np.exp(-(_NODES**2) / 2)
_WEIGHTS /= _WEIGHTS.sum()


@dataclass(frozen=True)
class GaussianBaseline:
    """A Gaussian density of fields, the same for all translations of the lattice.

    Attributes:
        dual: the density that it approximates.
        mean: μ of every field.
        spectrum: (L, L) eigenvalues of the covariance, in the order of ``DualIsing.spectrum``.
        symmetric: whether half of it has the mean −μ.
    """

    dual: DualIsing
    mean: float
    spectrum: Array
    symmetric: bool

    def gap(self) -> float:
        """KL(q‖p) in nats, in closed form."""
        sites, variance = self.spectrum.size, self.spectrum.mean()
        free_energy = (
            -(1 + np.log(2 * np.pi * self.spectrum)).sum() / 2
            + (self.spectrum / self.dual.spectrum).sum() / 2
            + sites * self.mean**2 / (2 * self.dual.spectrum[0, 0])
            - sites * _normal_mean(log_cosh(_normal(self.mean, variance)))
        )
        if self.symmetric:
            a = sites * self.mean**2 / self.spectrum[0, 0]
            free_energy += _normal_mean(_log_share_of_both(_normal(a, a)))
        return float(free_energy + self.dual.log_integral())

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Independent fields.

        Args:
            n: how many.
            rng: generator of the noise and, of a symmetric density, of the signs.
        Returns:
            (n, L, L).
        """
        noise = rng.standard_normal((n, self.dual.L, self.dual.L))
        fields = np.fft.ifft2(np.fft.fft2(noise) * np.sqrt(self.spectrum)).real + self.mean
        if self.symmetric:
            fields *= rng.choice([-1.0, 1.0], size=(n, 1, 1))
        return np.asarray(fields)

    def log_density(self, fields: Fields) -> Array:
        """ln q(x) of every sample, (n,) in nats."""
        x = np.asarray(fields, dtype=np.float64)
        waves = np.abs(np.fft.fft2(x - self.mean)) ** 2 / self.spectrum.size
        log_q = -(waves / self.spectrum + np.log(2 * np.pi * self.spectrum)).sum(axis=(1, 2)) / 2
        if self.symmetric:
            log_q += _log_share_of_both(self.mean * x.sum(axis=(1, 2)) / self.spectrum[0, 0])
        return np.asarray(log_q)


def best_gaussian(dual: DualIsing, *, symmetric: bool = False) -> GaussianBaseline:
    """The Gaussian of the smallest KL(q‖p), of one mean or, symmetric, with either sign of it.

    Args:
        dual: the density to approximate.
        symmetric: whether half of the density has the mean −μ.
    """
    found = [_stationary(dual, start, symmetric) for start in (0.0, float(dual.spectrum[0, 0]))]
    return min(found, key=GaussianBaseline.gap)


def _stationary(dual: DualIsing, mean: float, symmetric: bool) -> GaussianBaseline:
    """The Gaussian in whose gap's minimum one ends, coming from this mean."""
    largest = 1 / float(dual.spectrum[0, 0])  # of c, else S_0 is not positive
    sites = dual.spectrum.size

    def gaussian(c: float, mean: float) -> GaussianBaseline:
        return GaussianBaseline(dual, mean, 1 / (1 / dual.spectrum - c), symmetric=False)

    def gap_and_slopes(unknowns: Array) -> tuple[float, Array]:
        """Of u and μ, c = σ(u)/K_0."""
        share = 1 / (1 + math.exp(-unknowns[0]))
        c, mean = share * largest, float(unknowns[1])
        q = gaussian(c, mean)
        slope = np.tanh(_normal(mean, q.spectrum.mean()))
        by_c = (c - _normal_mean(1 - slope**2)) * (q.spectrum**2).sum() / 2
        by_mean = sites * (mean * largest - _normal_mean(slope))
        return q.gap(), np.array([by_c * c * (1 - share), by_mean])

    from scipy.optimize import minimize  # takes long, and few need it

    found = minimize(gap_and_slopes, np.array([0.0, mean]), jac=True, options={"gtol": 1e-8}).x
    q = gaussian(largest / (1 + math.exp(-found[0])), float(found[1]))
    return GaussianBaseline(dual, q.mean, q.spectrum, symmetric)


def _normal(mean: float, variance: float) -> Array:
    """Values of a normal variable, one for each of ``_WEIGHTS``."""
    return np.asarray(mean + math.sqrt(variance) * _NODES)


def _normal_mean(values: Array) -> float:
    return float(_WEIGHTS @ values)


def _log_share_of_both(t: Array) -> Array:
    """ln ½(1 + e^(−2t)): of the symmetric density by that of mean +μ alone."""
    return np.asarray(np.logaddexp(0, -2 * t) - math.log(2))
