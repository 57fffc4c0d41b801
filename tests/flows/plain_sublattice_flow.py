"""The flow by sublattices in plain PyTorch: from its formulas, with autograd, in any precision.

An oracle for the kernels, in float64, and their peer in ``benchmarks/flows.py``, in float32. All
sites that a coupling changes, of all samples, are computed at once. Fields are (samples, N).
"""

import math

import numpy as np
import torch
from torch import Tensor

from coarsegrain.flows.architecture import SHIFTS, Architecture
from coarsegrain.flows.kernels.spline import EXTENT


def spline(x: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """y and ln dy/dx; numbers (…, 3 bins + 1) for x (…).

    Beyond the last bin, y is what it is at its end, where the slope is the last one, and a line.
    """
    widths, heights, slopes = _knots(numbers)
    u = x.abs()
    ends = widths.cumsum(-1)
    inside = torch.minimum(u, ends[..., -1])
    left, low, width, height, d0, d1 = _bin(inside, ends, widths, heights, slopes)
    t, s = (inside - left) / width, height / width
    q = t * (1 - t)
    D = s + (d0 + d1 - 2 * s) * q
    y = low + height * (s * t**2 + d0 * q) / D + slopes[..., -1] * (u - inside)
    return torch.copysign(y, x), _log_slope(t, s, d0, d1)


def spline_inverse(y: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """x and ln dy/dx where the spline is y."""
    widths, heights, slopes = _knots(numbers)
    v = y.abs()
    ends = heights.cumsum(-1)
    inside = torch.minimum(v, ends[..., -1])
    low, left, height, width, d0, d1 = _bin(inside, ends, heights, widths, slopes)
    s, h = height / width, inside - low
    c = d0 + d1 - 2 * s
    a, b = height * (s - d0) + h * c, height * d0 - h * c
    t = 2 * s * h / (b + (b**2 + 4 * a * s * h).sqrt())
    x = left + width * t + (v - inside) / slopes[..., -1]
    return torch.copysign(x, y), _log_slope(t, s, d0, d1)


def _knots(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    bins = numbers.shape[-1] // 3
    widths, heights, slopes = numbers.exp().split([bins, bins, bins + 1], dim=-1)
    return widths * (EXTENT / bins), heights * (EXTENT / bins), slopes


def _bin(
    place: Tensor, ends: Tensor, along: Tensor, across: Tensor, slopes: Tensor
) -> tuple[Tensor, ...]:
    """Of the bin in which a place lies: starts, sizes (along and across) and slopes of its ends."""
    shape = (*torch.broadcast_shapes(place.shape, ends.shape[:-1]), ends.shape[-1])
    k = (place[..., None] >= ends[..., :-1]).sum(-1, keepdim=True).expand(*shape[:-1], 1)

    def of_bin(each: Tensor) -> Tensor:
        return each.expand(*shape[:-1], each.shape[-1]).gather(-1, k)[..., 0]

    start, start_across = of_bin(ends - along), of_bin(across.cumsum(-1) - across)
    d0, d1 = of_bin(slopes[..., :-1]), of_bin(slopes[..., 1:])
    return start, start_across, of_bin(along), of_bin(across), d0, d1


def _log_slope(t: Tensor, s: Tensor, d0: Tensor, d1: Tensor) -> Tensor:
    q = t * (1 - t)
    D = s + (d0 + d1 - 2 * s) * q
    return 2 * s.log() + (d1 * t**2 + 2 * s * q + d0 * (1 - t) ** 2).log() - 2 * D.log()


class PlainFlow:
    """The flow; its parameters are an argument of all that it does: a vector, as in the kernels."""

    def __init__(self, architecture: Architecture, spectrum: np.ndarray, dtype=torch.float64):
        self.architecture, self.dtype = architecture, dtype
        self._spectrum = torch.tensor(spectrum, dtype=dtype)
        self._orbits = torch.from_numpy(architecture.orbits)
        self._layers = [
            tuple(torch.from_numpy(each) for each in layer) for layer in architecture.layers
        ]

    def forwards(self, parameters: Tensor, z: Tensor, sign: Tensor) -> tuple[Tensor, Tensor]:
        """Fields of normal numbers z and signs (samples,) ±1 of their mean, and ln q of them."""
        of = self.architecture.views(parameters)
        root = math.sqrt(z.shape[1])
        epsilon = z.sum(1) / root
        mu, log_sigma = of["modes"]
        a = sign * (mu + log_sigma.exp() * epsilon)
        y, log_slope = spline(a, of["mean"])
        w = z + ((y - epsilon) / root)[:, None]
        log_q = _log_modes(a, mu, log_sigma) - log_slope + _log_normal(z, epsilon)
        for k in range(len(self._layers)):
            for step in self.architecture.transforms[k]:
                w = self._transformed(w, step, back=k > 0)
            changed = self._layers[k][0]
            before, after, numbers = self._net(of, k, w)
            y, log_slope = spline(w[:, changed] + before, numbers)
            w = w.index_copy(1, changed, y + after)
            log_q = log_q - log_slope.sum(1)
        logs = self._log_eigenvalues(of)
        return self._multiplied(w, logs.exp()), log_q - logs.sum()

    def log_density(self, parameters: Tensor, x: Tensor) -> Tensor:
        """The density ln q of fields, by the inverse."""
        of = self.architecture.views(parameters)
        logs = self._log_eigenvalues(of)
        w = self._multiplied(x, (-logs).exp())
        log_q = -logs.sum()
        for k in reversed(range(len(self._layers))):
            changed = self._layers[k][0]
            before, after, numbers = self._net(of, k, w)
            y, log_slope = spline_inverse(w[:, changed] - after, numbers)
            w = w.index_copy(1, changed, y - before)
            log_q = log_q - log_slope.sum(1)
            for step in reversed(self.architecture.transforms[k]):
                w = self._transformed(w, step, back=k == 0)
        mean = w.sum(1) / math.sqrt(w.shape[1])
        a, log_slope = spline_inverse(mean, of["mean"])
        return log_q + _log_modes(a, *of["modes"]) - log_slope + _log_normal(w, mean)

    def energy(self, x: Tensor) -> Tensor:
        """Energies of the dual Ising model: ½ xᵀK⁻¹x − Σ ln cosh x."""
        solved = self._multiplied(x, 1 / self._spectrum)
        log_cosh = x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)
        return ((x * solved) / 2 - log_cosh).sum(1)

    def loss(self, parameters: Tensor, z: Tensor, sign: Tensor, *, path: bool) -> Tensor:
        """ln q + E of samples. ``path``: parameters move the fields, not ln q at fixed fields."""
        x, log_q = self.forwards(parameters, z, sign)
        if path:
            log_q = self.log_density(parameters.detach(), x)
        return log_q + self.energy(x)

    def _net(self, of: dict[str, Tensor], k: int, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Shifts before and after the spline, and its numbers, of all sites of coupling k."""
        _, seen, others = self._layers[k]
        mean = w[:, others].sum(1, keepdim=True) / math.sqrt(len(others))
        c = torch.cat([w[:, seen], mean.expand(-1, len(seen))[..., None]], dim=-1)
        h = torch.tanh(torch.tanh(c @ of[f"{k}.first"].T) @ of[f"{k}.second"].T)
        shifts, last = of[f"{k}.last"][:SHIFTS], of[f"{k}.last"][SHIFTS:]
        before, after = (h @ shifts.T).unbind(-1)
        return before, after, h**2 @ last.T + of[f"{k}.spline"]

    def _transformed(self, w: Tensor, step: int, *, back: bool) -> Tensor:
        """From sites, ``step`` apart, to coarse variables and what is left, or back."""
        L = self.architecture.L
        found = w.reshape(-1, L, L)
        for axis in (1, 2):
            lattice = found[:, ::step, ::step]
            found = found.clone()
            found[:, ::step, ::step] = self._along(lattice, axis, back)
        return found.reshape(w.shape)

    def _along(self, x: Tensor, axis: int, back: bool) -> Tensor:
        x = x.movedim(axis, -1)
        even, odd = x[..., ::2], x[..., 1::2]
        found = torch.empty_like(x)
        if self.architecture.passes == "means":
            found[..., ::2], found[..., 1::2] = (even + odd) / 2**0.5, (even - odd) / 2**0.5
            return found.movedim(-1, axis)
        if back:
            low, high = torch.zeros_like(x), torch.zeros_like(x)
            low[..., ::2], high[..., 1::2] = even, odd
            return (_filtered(low, True) + _filtered(high, False)).movedim(-1, axis)
        found[..., ::2] = _filtered(x, True)[..., ::2]
        found[..., 1::2] = _filtered(x, False)[..., 1::2]
        return found.movedim(-1, axis)

    def _log_eigenvalues(self, of: dict[str, Tensor]) -> Tensor:
        return self._spectrum.log() / 2 + of["spectrum"][self._orbits]

    def _multiplied(self, w: Tensor, eigenvalues: Tensor) -> Tensor:
        L = self.architecture.L
        waves = torch.fft.rfft2(w.reshape(-1, L, L)) * eigenvalues[:, : L // 2 + 1]
        return torch.fft.irfft2(waves, s=(L, L)).reshape(w.shape)


def _filtered(x: Tensor, below: bool) -> Tensor:
    """The waves below, or above, half the largest wave number along the last axis, times √2."""
    m = x.shape[-1]
    share = torch.tensor([2.0 * (4 * k < m) + (4 * k == m) for k in range(m // 2 + 1)])
    share = share if below else 2 - share
    return torch.fft.irfft(torch.fft.rfft(x) * share.to(x.dtype).sqrt(), n=m)


def _log_normal(z: Tensor, mean: Tensor) -> Tensor:
    """ln N(z) − ln N(ε), ε the mean times √N, but for ½ ln 2π, which is in ``_log_modes``."""
    return (mean**2 - (z**2).sum(1)) / 2 - (z.shape[1] - 1) / 2 * math.log(2 * math.pi)


def _log_modes(a: Tensor, mu: Tensor, log_sigma: Tensor) -> Tensor:
    """ln [½ N(a; μ, σ) + ½ N(a; −μ, σ)]."""
    sigma = log_sigma.exp()
    both = torch.stack([-(((a - mu) / sigma) ** 2) / 2, -(((a + mu) / sigma) ** 2) / 2])
    return both.logsumexp(0) - log_sigma - math.log(2) - math.log(2 * math.pi) / 2
