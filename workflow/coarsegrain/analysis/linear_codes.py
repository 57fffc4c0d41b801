"""Floors of reconstruction: linear codes of lattices with their best linear decoders, unlearned.

A code E x of a lattice x, of m numbers, is decoded to C Eᵀ (E C Eᵀ)⁻¹ E x with C = ⟨x xᵀ⟩, the
linear decoder of the smallest mean squared error (Wiener). C is the same for all translations, so
it is known by its eigenvalues S(q), one for each wave vector. Of all linear codes of rank m the
m modes of the largest S(q) have the smallest error (principal components): the sum of the other
S(q), divided by the number of sites.

What is smallest here is the mean squared error. The hinge of these outputs is no floor of linear
decoders: it is an upper bound of the best linear decoder's hinge, even at the best gain.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Spins = npt.NDArray[np.generic]
#: (n, L, L) lattices to (n, L, L) what is decoded from their codes.
Reconstruction = Callable[[Spins], Array]
Number = TypeVar("Number", np.float64, np.int64)

# Added to the variance of each number in a code. Without it lattices that are all alike have codes
# that determine each other, and E C Eᵀ no inverse; with it errors rise by about as much.
RIDGE = 1e-9
# Sites per batch of Fourier transforms: 64 MiB of complex numbers.
BATCH_SITES = 2**22
# Digits by which eigenvalues are told apart when they are sorted.
_DIGITS = 12


def spectrum(spins: Spins) -> Array:
    """Eigenvalues S(q) of C, by wave vector in the order of ``numpy.fft.fft2``.

    S(q) = ⟨|Σ_r x_r exp(-i q r)|²⟩/L². Their mean is ⟨x²⟩, 1 for spins.

    Args:
        spins: (n, L, L); their second moments are averaged over all translations. The mean is not
            subtracted: it is 0 by symmetry.
    Returns:
        (L, L), S(q) = S(-q).
    """
    n, L = len(spins), spins.shape[1]
    batch = max(1, BATCH_SITES // L**2)
    power = np.zeros((L, L))
    for start in range(0, n, batch):
        power += (abs(_waves(spins[start : start + batch])) ** 2).sum(axis=0)
    return np.asarray((power + _mirrored(power)) / (2 * n * L**2))


def principal_components(eigenvalues: Array, rank: int) -> Reconstruction:
    """Keep the modes of the largest eigenvalues: cosine and sine of a wave vector are one each.

    Args:
        eigenvalues: (L, L) of ``spectrum``.
        rank: number of modes, 1 to L². If it parts a cosine from its sine, the cosine is kept.
    """
    L = len(eigenvalues)
    site = np.arange(L * L).reshape(L, L)
    mirror = _mirrored(site)
    ones = np.flatnonzero(site <= mirror)  # one of q and -q
    order = ones[np.argsort(-eigenvalues.ravel()[ones].round(_DIGITS), kind="stable")]
    modes = np.where(mirror.ravel()[order] == order, 1, 2)
    before = np.cumsum(modes) - modes
    kept = np.zeros(L * L)
    kept[order[before + modes <= rank]] = 1
    mask = np.maximum(kept.reshape(L, L), _mirrored(kept.reshape(L, L)))
    parted = order[(before < rank) & (before + modes > rank)]
    cosine = np.zeros((L, L))
    if len(parted):
        row, col = np.divmod(np.arange(L * L), L)
        angle = 2 * np.pi * ((parted // L) * row + (parted % L) * col) / L
        cosine = (np.sqrt(2) / L * np.cos(angle)).reshape(L, L)

    def reconstruct(spins: Spins) -> Array:
        low = np.fft.ifft2(mask * _waves(spins)).real
        along = (spins.astype(np.float64) * cosine).sum(axis=(1, 2), keepdims=True)
        return np.asarray(low + along * cosine)

    return reconstruct


def block_code(eigenvalues: Array, kernel: Array) -> Reconstruction:
    """One number for each 2 x 2 block, Σ_r k(r) x(2j + r), with its best linear decoder.

    C and E are diagonal but for the four wave vectors that a coarse lattice cannot tell apart:
    S(q) K(q) c(q) / (¼ Σ |K|² S over those four).

    Args:
        eigenvalues: (L, L) of ``spectrum``, L even.
        kernel: (L, L) k(r): 1 at the origin for decimation, see ``decimation`` and ``block_means``.
    """
    half = len(eigenvalues) // 2
    waves = np.fft.fft2(kernel)
    variance = (abs(waves) ** 2 * eigenvalues).reshape(2, half, 2, half).mean(axis=(0, 2)) + RIDGE
    decoder = eigenvalues * waves / np.tile(variance, (2, 2))

    def reconstruct(spins: Spins) -> Array:
        code = np.fft.ifft2(waves.conj() * _waves(spins)).real[:, ::2, ::2]
        return np.asarray(np.fft.ifft2(decoder * np.tile(_waves(code), (1, 2, 2))).real)

    return reconstruct


def decimation(L: int) -> Array:
    """The kernel that keeps the spin at the even row and column of each block, (L, L)."""
    kernel = np.zeros((L, L))
    kernel[0, 0] = 1
    return kernel


def block_means(L: int) -> Array:
    """The kernel of the mean of each 2 x 2 block, (L, L)."""
    kernel = np.zeros((L, L))
    kernel[:2, :2] = 1 / 4
    return kernel


def linear_code(eigenvalues: Array, encoder: Array) -> Reconstruction:
    """Any linear code with its best linear decoder.

    Args:
        eigenvalues: (L, L) of ``spectrum``.
        encoder: (m, L²) E. Time goes as m³ and L² m², memory as 5 L² m numbers.
    """
    m, L = len(encoder), len(eigenvalues)
    covariance = np.fft.ifft2(eigenvalues * _waves(encoder.reshape(m, L, L))).real.reshape(m, -1)
    of_code = covariance @ encoder.T + RIDGE * np.eye(m)
    decoder = np.linalg.solve((of_code + of_code.T) / 2, covariance)

    def reconstruct(spins: Spins) -> Array:
        flat = spins.reshape(len(spins), -1).astype(np.float64)
        return np.asarray((flat @ encoder.T @ decoder).reshape(spins.shape))

    return reconstruct


def random_sites(L: int, rank: int, *, rng: np.random.Generator) -> Array:
    """The encoder that keeps ``rank`` different sites at random, (rank, L²)."""
    encoder = np.zeros((rank, L * L))
    encoder[np.arange(rank), rng.permutation(L * L)[:rank]] = 1
    return encoder


def random_mixtures(L: int, rank: int, *, rng: np.random.Generator) -> Array:
    """The encoder of independent Gaussian weights with variance 1/L², (rank, L²)."""
    return np.asarray(rng.standard_normal((rank, L * L)) / L)


def _waves(spins: Spins) -> npt.NDArray[np.complex128]:
    return np.asarray(np.fft.fft2(spins))


def _mirrored(by_wave: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """What stands at -q, at q."""
    return np.roll(by_wave[::-1, ::-1], 1, axis=(0, 1))
