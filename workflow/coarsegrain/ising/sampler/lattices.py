"""Independent lattices of the 2D Ising model, each at its own inverse temperature."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from coarsegrain.device import choose_device
from coarsegrain.ising.equilibration import equilibration_steps
from coarsegrain.ising.sampler.chains import advance, cold_start
from coarsegrain.ising.sampler.coalescence import check_coalescence
from coarsegrain.ising.sampler.coupling import sample_exactly
from coarsegrain.ising.sampler.cupy_backend import (
    sample_exactly_on_gpu,
    sample_hybrid_on_gpu,
)
from coarsegrain.ising.sampler.layout import LANES, row_layout, unpack_spins
from coarsegrain.ising.sampler.thresholds import Thresholds, thresholds
from coarsegrain.ising.sides import check_side, whole_number

#: Spins moved on between two calls of ``progress``, about: a fraction of a second of work.
_SPINS_PER_BATCH = 2**20


def sample_lattices(
    betas: npt.ArrayLike,
    L: int,
    *,
    seed: int,
    first_lattice: int = 0,
    steps: int | None = None,
    method: Literal["hybrid", "exact"] = "hybrid",
    device: Literal["cpu", "cuda", "auto"] = "cpu",
    progress: Callable[[int], None] | None = None,
) -> npt.NDArray[np.int8]:
    """Sample one lattice per inverse temperature, each from a Markov chain of its own.

    ``method="hybrid"``: a chain starts with all spins equal, up or down at random, and makes
    ``steps`` steps of one Wolff cluster and one heat-bath sweep.
    ``method="exact"``: coupling from the past (``coupling``). Its lattices follow the Boltzmann
    distribution without any bias, at a cost that grows steeply towards and above β_c = 0.4407.

    A lattice depends on (seed, its number, its β, L, method, steps) only: any way to cut a set of
    lattices into calls gives the same bits, on any device. The two methods share no random numbers.

    >>> spins = sample_lattices([0.2, 0.4352], 32, seed=1)
    >>> later = sample_lattices([0.4352], 32, seed=1, first_lattice=1)
    >>> bool((spins[1] == later[0]).all())
    True

    Args:
        betas: (n,) inverse temperatures, finite and ≥ 0, J = k_B = 1.
        L: side, even, 4 to 4096; periodic boundaries.
        seed: key of the random numbers, 0 to 2⁶⁴ − 1.
        first_lattice: number of the first lattice; lattices are numbered consecutively.
        steps: length of the hybrid chains; default ``equilibration_steps(L)``.
        method: "hybrid" or "exact".
        device: "cpu", "cuda" or "auto", which is cuda where there is one, and says so.
        progress: called with the number of lattices done, now and then and at the end.
    Returns:
        (n, L, L) int8, ±1.
    Raises:
        ValueError: an argument is out of its range, or an exact sample would take too long
            (``coalescence``).
        DeviceError: the device is not there, or its memory does not hold a single lattice.
    """
    check_side(L)
    beta = _checked_betas(betas)
    n = len(beta)
    if method not in ("hybrid", "exact"):
        raise ValueError(f'method is {method!r}; it must be "hybrid" or "exact".')
    if method == "exact" and steps is not None:
        raise ValueError("steps has no meaning for exact samples; leave it out.")
    steps = equilibration_steps(L) if steps is None else whole_number("steps", steps)
    seed = whole_number("seed", seed)
    first_lattice = whole_number("first_lattice", first_lattice)
    _check_range("steps", steps, 1, 2**32 - 1)
    _check_range("seed", seed, 0, 2**64 - 1)
    _check_range("first_lattice", first_lattice, 0, 2**32 - n)

    if method == "exact":
        check_coalescence(beta, L)
    if choose_device(device, ("cupy",), say=device == "auto") == "cuda":
        if method == "exact":
            return sample_exactly_on_gpu(beta, first_lattice, seed, L, progress)[0]
        return sample_hybrid_on_gpu(beta, first_lattice, seed, L, steps, progress)

    layout = row_layout(L)
    k0, k1 = np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)
    if method == "exact":
        return sample_exactly(beta, first_lattice, k0, k1, layout, progress)[0]
    spins = np.empty((n, L, L), dtype=np.int8)
    groups = max(1, _SPINS_PER_BATCH // (LANES * L * L))
    for start in range(0, n, groups * LANES):
        stop = min(start + groups * LANES, n)
        number = np.uint64(first_lattice + start)
        by_lane = thresholds_by_lane(beta[start:stop])
        shape = (len(by_lane.bond), layout.word_rows, layout.words_per_row, LANES)
        words = np.empty(shape, dtype=np.uint64)
        cold_start(words, number, k0, k1, layout)
        advance(words, by_lane, number, 1, steps, k0, k1, layout)
        unpack_spins(words, spins[start:stop], layout)
        if progress is not None:
            progress(stop)
    return spins


def _checked_betas(betas: npt.ArrayLike) -> npt.NDArray[np.float64]:
    try:
        beta = np.asarray(betas, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"betas is {betas!r}; it must be a list of numbers.") from None
    if beta.ndim != 1 or beta.size == 0:
        raise ValueError(
            f"betas has shape {beta.shape}; it must be a list of at least one inverse temperature."
        )
    bad = ~(np.isfinite(beta) & (beta >= 0))
    if bad.any():
        raise ValueError(
            f"betas[{bad.argmax()}] is {beta[bad.argmax()]}; "
            "an inverse temperature must be finite and not negative."
        )
    return beta


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; it must be an integer from {low} to {high}.")


def thresholds_by_lane(betas: npt.NDArray[np.float64]) -> Thresholds:
    """Thresholds (groups, LANES) of lattices (n,); spare lanes repeat the last lattice's."""
    n = len(betas)
    groups = -(-n // LANES)
    index = np.minimum(np.arange(groups * LANES), n - 1).reshape(groups, LANES)
    return Thresholds(*(values[index] for values in thresholds(betas)))
