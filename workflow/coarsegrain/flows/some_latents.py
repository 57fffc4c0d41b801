"""The density of some of the latent variables that a flow by sublattices draws.

All N of them are normal numbers whose mean has two modes (``kernels.base``). What m of them deviate
from their mean is normal, too, and independent of it; their sum S is that of the two:

    u = S/√m = c y + √v η,   c² = m/N,   v = 1 − c²,   y = spline(±(μ + σε)),   ε, η ~ N(0, 1),
    ln q = ln f(u) − ½ (Σ w² − u²) − ½ (m − 1) ln 2π,
    f(u) = ∫ ½ [N(u; c spline(a), v) + N(u; −c spline(a), v)] N(a; μ, σ) da.

The integral is by Gauss and Legendre, piece by piece between the spline's knots, where all is
smooth. It is in float64, by libm: its last digits may be the processor's.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.kernels.spline import EXTENT

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.floating]

#: Nodes of a piece, and how many standard deviations of a are integrated over, to either side.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_REACH = 9.0
_LOG_TWO_PI = math.log(2 * math.pi)
#: Samples treated at once.
_PIECE = 4096


def log_density_of_some(latents: Numbers, N: int, modes: Numbers, mean: Numbers) -> Array:
    """ln q of some of the latent variables, the others being anything.

    Args:
        latents: (n, m) w, with the two modes of their mean, m < N.
        N: how many the flow has.
        modes: μ and ln σ.
        mean: numbers of the spline.
    Returns:
        (n,) in nats.
    """
    w = np.asarray(latents, dtype=np.float64)
    m = w.shape[1]
    u = w.sum(axis=1) / math.sqrt(m)
    c, v = math.sqrt(m / N), 1 - m / N
    y, weights = _of_mean(modes, mean)
    log_weights = np.log(weights / 2) - (math.log(v) + _LOG_TWO_PI) / 2
    log_f = np.empty(len(w))
    for at in range(0, len(w), _PIECE):
        here = u[at : at + _PIECE, None]
        both = np.logaddexp(-((here - c * y) ** 2) / (2 * v), -((here + c * y) ** 2) / (2 * v))
        both += log_weights
        high = both.max(axis=1)
        log_f[at : at + _PIECE] = high + np.log(np.exp(both - high[:, None]).sum(axis=1))
    rest = ((w**2).sum(axis=1) - u**2) / 2
    return np.asarray(log_f - rest - (m - 1) / 2 * _LOG_TWO_PI)


def _of_mean(modes: Numbers, mean: Numbers) -> tuple[Array, Array]:
    """Nodes y = spline(a) for a ~ N(μ, σ), and their weights, which add up to 1."""
    spline = _Spline.of(mean)
    mu, sigma = float(modes[0]), math.exp(float(modes[1]))
    low, high = mu - _REACH * sigma, mu + _REACH * sigma
    knots = np.concatenate([[low], -spline.places[::-1], spline.places, [high]])
    ends = np.unique(np.clip(knots, low, high))
    a, da = [], []
    for left, right in pairwise(ends):
        # short beside both normal densities, that of a and that of y + η
        rise = np.diff(spline(np.array([left, right])))[0]
        number = math.ceil(max((right - left) / sigma, rise))
        edges = np.linspace(left, right, number + 1)
        half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
        a.append((middle[:, None] + half[:, None] * _NODES).reshape(-1))
        da.append((half[:, None] * _WEIGHTS).reshape(-1))
    places = np.concatenate(a)
    normal = np.exp(-(((places - mu) / sigma) ** 2) / 2) * np.concatenate(da)
    return spline(places), normal / normal.sum()


class _Spline(NamedTuple):
    """An odd spline (``kernels.spline``) by its knots from 0 on: places, values, slopes."""

    places: Array
    values: Array
    slopes: Array

    @classmethod
    def of(cls, numbers: Numbers) -> "_Spline":
        bins = len(numbers) // 3
        sizes = np.exp(np.asarray(numbers, dtype=np.float64))
        places, values = (
            np.concatenate([[0.0], np.cumsum(each) * EXTENT / bins])
            for each in (sizes[:bins], sizes[bins : 2 * bins])
        )
        return cls(places, values, sizes[2 * bins :])

    def __call__(self, x: Array) -> Array:
        size = np.abs(x)
        k = np.minimum(np.searchsorted(self.places, size, side="right"), len(self.places) - 1) - 1
        width, height = np.diff(self.places)[k], np.diff(self.values)[k]
        t, s = np.minimum((size - self.places[k]) / width, 1), height / width
        q, d0, d1 = t * (1 - t), self.slopes[k], self.slopes[k + 1]
        y = self.values[k] + height * (s * t**2 + d0 * q) / (s + (d0 + d1 - 2 * s) * q)
        beyond = np.maximum(size - self.places[-1], 0) * self.slopes[-1]
        return np.asarray(np.copysign(y + beyond, x))
