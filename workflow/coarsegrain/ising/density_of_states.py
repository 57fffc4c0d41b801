"""Exact distribution of the energy of a finite lattice, from Kaufman's Z at complex β.

The characteristic function of X = Σ_<ij> σ_i σ_j = −H at inverse temperature β is known,

    ⟨exp(isX)⟩ = Z(β + is)/Z(β),

and X takes only the N + 1 values −2N, −2N + 4, …, 2N. So N + 1 values of s, a Fourier transform
and no big integers give the probability of every X to about 1e-13 (Beale, Phys. Rev. Lett. 76, 78
(1996) expands the same formula in integers). The density of states follows where X is likely:
ln g(X) = ln p_β(X) + ln Z(β) − βX, and a few β cover all that a set of lattices can show.

Kaufman's products at complex β have one value: every γ_l but γ_0 and γ_n occurs twice, and those
two enter through (2 sinh 2K)^(n/2) exp(±nγ/2) with n/2 an integer.
"""

import math

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.exact import heat_capacity_per_site, log_partition_function

Array = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

# Probabilities below this are not used: Z(β + is)/Z(β) is exact to about 1e-13.
_SMALLEST_PROBABILITY = 1e-9
# Standard deviations of X between the β at which it is computed, and how far they reach out.
_SPACING, _REACH = 2.0, 3
_LOWEST_BETA, _HIGHEST_BETA = 1e-3, 3.0
# Values of s in one piece. Beyond this side, pieces after the last visible one are left out.
_PIECE, _LARGE_SIDE = 1024, 100


def energy_levels(L: int) -> npt.NDArray[np.int64]:
    """(N + 1,) the values of X = −H: −2N, −2N + 4, …, 2N. Not all are taken: 2N − 4 is not."""
    return np.arange(-2 * L**2, 2 * L**2 + 1, 4, dtype=np.int64)


def energy_distribution(beta: float, L: int) -> Array:
    """(N + 1,) the probability of every energy level at ``beta``, to about 1e-13.

    Args:
        beta: inverse temperature, above 0 and at most 3.
        L: side of the lattice, even, at least 4.
    """
    levels = L**2 + 1
    transform = np.zeros(levels // 2 + 1, dtype=np.complex128)
    for start in range(0, len(transform), _PIECE):
        index = np.arange(start, min(start + _PIECE, len(transform)))
        s = 2 * np.pi * index / (4 * levels)
        piece = _characteristic_function(beta, L, s)
        # X = −2N + 4k: the first level's phase apart, the rest is a discrete Fourier transform.
        transform[index] = np.conj(piece * np.exp(2j * L**2 * s))
        if L > _LARGE_SIDE and np.abs(piece).max() < 1e-15:
            break
    return np.asarray(np.fft.irfft(transform, levels), dtype=np.float64)


def log_density_of_states(L: int, beta_min: float, beta_max: float) -> Array:
    """(N + 1,) ln of the number of states on every level that is likely between two β.

    Exact to about 1e-6 on levels within 7 standard deviations of the mean energy at some β of the
    range; −∞ where X is never taken, or too unlikely to be computed.

    Args:
        L: side of the lattice, even, at least 4.
        beta_min: lower end of the range, at least 0.
        beta_max: upper end of the range, at most 2.
    """
    levels = energy_levels(L)
    best = np.full(len(levels), _SMALLEST_PROBABILITY)
    log_states = np.full(len(levels), -np.inf)
    for beta in _anchors(L, beta_min, beta_max):
        probability = energy_distribution(beta, L)
        better = probability > best
        best[better] = probability[better]
        log_states[better] = (
            np.log(probability[better]) + log_partition_function(beta, L) - beta * levels[better]
        )
    return log_states


def _anchors(L: int, beta_min: float, beta_max: float) -> list[float]:
    """Inverse temperatures whose energy distributions overlap and cover the range."""

    def step(beta: float) -> float:
        return _SPACING * beta / (L * math.sqrt(heat_capacity_per_site(beta, L)))

    anchors = [max(beta_min, _LOWEST_BETA)]
    for _ in range(_REACH):
        anchors.insert(0, max(anchors[0] - step(anchors[0]), _LOWEST_BETA))
    beyond = 0
    while beyond < _REACH and anchors[-1] < _HIGHEST_BETA:
        beyond += anchors[-1] >= beta_max
        # no further than the next anchor's own step: distributions narrow towards β_c
        stride = min(step(anchors[-1]), _HIGHEST_BETA - anchors[-1])
        anchors.append(anchors[-1] + min(stride, step(anchors[-1] + stride)))
    return sorted(set(anchors))


def _characteristic_function(beta: float, L: int, s: Array) -> ComplexArray:
    """Z(β + is)/Z(β) for every s; notation as in ``exact``."""
    K = beta + 1j * s
    sinh, cosh = np.sinh(2 * K), np.cosh(2 * K)
    log_z = log_partition_function(beta, L)

    def log_products(index: npt.NDArray[np.int64]) -> tuple[ComplexArray, ComplexArray]:
        """ln Π of (2 sinh 2K)^(n/2) 2cosh(nγ/2) and of 2sinh, over γ_l and its twin γ_(2n−l)."""
        a = cosh[:, None] ** 2 - sinh[:, None] * np.cos(np.pi * index / L)  # s cosh γ
        root = np.sqrt((a - sinh[:, None]) * (a + sinh[:, None]))  # s sinh γ, up to its sign
        root *= np.where((np.conj(a) * root).real < 0, -1, 1)  # the sign of Re γ > 0
        base = L * np.log(2 * (a + root))
        decay = (sinh[:, None] / (a + root)) ** L
        plus, minus = base + 2 * np.log1p(decay), base + 2 * np.log1p(-decay)
        return plus.sum(axis=1), minus.sum(axis=1)

    log_root, log_tanh = L / 2 * np.log(2 * sinh), np.log(np.tanh(K))
    half = L / 2
    up, down = log_root + half * (2 * K + log_tanh), log_root - half * (2 * K + log_tanh)  # γ_0
    last = log_root + half * (2 * K - log_tanh)  # γ_n
    decay = np.exp(-L * (2 * K - log_tanh))
    odd_cosh, odd_sinh = log_products(np.arange(1, L, 2))
    even_cosh, even_sinh = log_products(np.arange(2, L, 2))
    even_cosh += last + np.log1p(decay) - log_z
    even_sinh += last + np.log1p(-decay) - log_z
    total = np.exp(odd_cosh - log_z) + np.exp(odd_sinh - log_z)
    total += np.exp(even_cosh + up) + np.exp(even_cosh + down)
    total += np.exp(even_sinh + up) - np.exp(even_sinh + down)
    return np.asarray(total / 2, dtype=np.complex128)
