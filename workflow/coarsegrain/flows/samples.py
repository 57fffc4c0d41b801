"""Arithmetic of samples that lie in blocks, one in each lane: densities, factors, parts."""

import math

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.blocks import Blocks
from coarsegrain.flows.kernels.base import fill_with_normal_numbers
from coarsegrain.simd import LANES
from coarsegrain.vector_math import exponentials, logarithms

Array = npt.NDArray[np.float64]
_LOG_TWO_PI = math.log(2 * math.pi)


def normal_numbers(
    blocks: int, L: int, *, stream: int, step: int = 0, first: int = 0, seed: int
) -> Blocks:
    """Latent variables (blocks, L² LANES) of blocks ``first`` … of a stream's step."""
    z = np.empty((blocks, L**2 * LANES), dtype=np.float32)
    key = np.uint64(seed & 0xFFFFFFFF), np.uint64((seed >> 32) & 0xFFFFFFFF)
    fill_with_normal_numbers(z, first, stream, step, *key)
    return z


def log_normal(z: Blocks) -> Array:
    """ln N(z; 0, 1) of every sample, (blocks, LANES)."""
    flat = z.reshape(len(z), -1, LANES).astype(np.float64)
    return np.asarray(-(flat * flat).sum(axis=1) / 2 - flat.shape[1] / 2 * _LOG_TWO_PI)


def mixed(log_q0: Array, reverse: Array) -> Array:
    """ln ½ [q₀(x) + q₀(−x)]."""
    apart = exponentials(-np.abs(log_q0 - reverse))
    return np.asarray(np.maximum(log_q0, reverse) + logarithms((1 + apart) / 2))


def share_of_reverse(log_q0: Array, reverse: Array) -> Array:
    """Share of q₀(−x) in q₀(x) + q₀(−x)."""
    return 1 / (1 + exponentials(log_q0 - reverse).astype(np.float64))


def kept_of(kept: Blocks, some: npt.NDArray[np.bool_]) -> Blocks:
    """What was kept of some blocks of samples."""
    couplings = len(kept)
    return kept.reshape(couplings, len(some), -1)[:, some].reshape(couplings, -1)


def times(x: Blocks, factors: npt.NDArray[np.float32]) -> Blocks:
    """Variables times a factor (blocks, LANES) of their sample."""
    return (x.reshape(len(x), -1, LANES) * factors[:, None]).reshape(x.shape)


def coarse(x: Blocks, L: int, scale: int) -> Blocks:
    """Variables of the sites whose row and column 2^scale divides."""
    step = 1 << scale
    sites = x.reshape(len(x), L, L, LANES)[:, ::step, ::step]
    return np.ascontiguousarray(sites).reshape(len(x), -1)
