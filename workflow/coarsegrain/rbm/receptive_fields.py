"""Receptive fields of hidden units on the torus: how local they are, and whether they tile it.

The field of a unit is its column of W, drawn on the lattice. Block spins have fields that fill a
2 x 2 window and nothing else, and the windows of all units cover every site once.

A unit without weights (L1 can take all of them) counts as the field that has no structure, the
uniform one: a share of size²/N in any window, and a participation ratio of N. In tilings it has no
window.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.rbm.machine import FreeMachine, TiedMachine
from coarsegrain.sparsity import PerUnit, participation_ratio

Fields = npt.NDArray[np.float64]

# Below this share of the weights a mean direction on the circle is rounding.
_NO_DIRECTION = 1e-9


class Windows(NamedTuple):
    """The best window of every unit.

    Attributes:
        share: (units,) part of Σ|w| that lies in it.
        row: (units,) its first row; -1 for a unit without weights.
        col: (units,) its first column; -1 likewise.
    """

    share: PerUnit
    row: npt.NDArray[np.int64]
    col: npt.NDArray[np.int64]


class Tiling(NamedTuple):
    """How windows lie on the lattice, beside as many windows put down at random.

    Attributes:
        covered: share of the sites that lie in a window.
        overlap: windows over a covered site, on average: 1 for a tiling, 0 if there are no windows.
        random: expected share of covered sites for independent uniform windows.
        random_sd: its standard deviation from one random set of windows to the next.
    """

    covered: float
    overlap: float
    random: float
    random_sd: float


def receptive_fields(machine: FreeMachine | TiedMachine) -> Fields:
    """The weights of every hidden unit as a lattice, (units, L, L).

    Raises:
        ValueError: the number of visible units is no square.
    """
    weights = machine.dense().weights.astype(np.float64)
    L = round(weights.shape[0] ** 0.5)
    if weights.shape[0] != L * L:
        raise ValueError(f"{weights.shape[0]} visible units are no square lattice.")
    return np.ascontiguousarray(weights.T).reshape(-1, L, L)


def window_sums(values: Fields, size: int) -> Fields:
    """Sums over all size x size windows, periodic, at the window's first row and column.

    Args:
        values: (units, L, L).
        size: side of the window, 1 to L.
    Raises:
        ValueError: a window is larger than the lattice.
    """
    L = values.shape[-1]
    if not 1 <= size <= L:
        raise ValueError(f"windows have sides of 1 to {L}, not {size}.")
    rows = np.sum([np.roll(values, -k, axis=1) for k in range(size)], axis=0)
    return np.asarray(np.sum([np.roll(rows, -k, axis=2) for k in range(size)], axis=0))


def best_windows(fields: Fields, size: int) -> Windows:
    """The window that holds most of Σ|w|, for every unit; the first in row order if several do.

    Args:
        fields: (units, L, L).
        size: side of the window.
    """
    units, L, _ = fields.shape
    sums = window_sums(abs(fields), size).reshape(units, -1)
    at = sums.argmax(axis=1)
    total = abs(fields).reshape(units, -1).sum(axis=1)
    silent = total == 0
    share = np.where(silent, size**2 / L**2, sums.max(axis=1) / np.where(silent, 1, total))
    row, col = np.divmod(at, L)
    return Windows(np.minimum(share, 1), np.where(silent, -1, row), np.where(silent, -1, col))


def centres(fields: Fields) -> npt.NDArray[np.float64]:
    """Row and column of the centre of each field on the torus, (units, 2), in [0, L).

    The direction of Σ w² exp(2πi x/L), along either axis; NaN where it is none, as in a uniform
    field or one without weights.
    """
    L = fields.shape[-1]
    angles = 2 * np.pi * np.arange(L) / L
    squares = fields**2
    total = squares.reshape(len(fields), -1).sum(axis=1)
    found = np.full((len(fields), 2), np.nan)
    for axis, other in ((0, 2), (1, 1)):
        profile = squares.sum(axis=other)
        x, y = (profile * np.cos(angles)).sum(axis=1), (profile * np.sin(angles)).sum(axis=1)
        directed = np.hypot(x, y) > _NO_DIRECTION * total
        found[directed, axis] = np.arctan2(y, x)[directed] * L / (2 * np.pi) % L
    return found


def tiling(windows: Windows, size: int, L: int) -> Tiling:
    """Do the windows cover the lattice, and how often?

    For windows put down at random a pair of sites stays free with (1 - |A ∪ B|/N)ⁿ, A and B the
    positions of a window over the one and the other, which gives mean and variance exactly.

    Args:
        windows: of ``best_windows``.
        size: their side.
        L: side of the lattice.
    """
    there = windows.row >= 0
    n, sites = int(there.sum()), L * L
    times = np.zeros((L, L), dtype=np.int64)
    for di in range(size):
        for dj in range(size):
            np.add.at(times, ((windows.row[there] + di) % L, (windows.col[there] + dj) % L), 1)
    covered = int((times > 0).sum())
    distance = np.arange(L)
    both = np.maximum(size - distance, 0) + np.where(
        distance > 0, np.maximum(size - (L - distance), 0), 0
    )
    union = 2 * size**2 - both[:, None] * both[None, :]
    free = (1 - size**2 / sites) ** n
    variance = ((1 - union / sites) ** n).sum() / sites - free**2
    return Tiling(
        covered=covered / sites,
        overlap=n * size**2 / covered if covered else 0.0,
        random=1 - free,
        random_sd=float(max(variance, 0.0) ** 0.5),
    )


def shuffled(fields: Fields, *, rng: np.random.Generator) -> Fields:
    """The same weights at random places, unit by unit: what is local by their sizes alone."""
    flat = fields.reshape(len(fields), -1)
    return rng.permuted(flat, axis=1).reshape(fields.shape)


def summary(fields: Fields) -> dict[str, float]:
    """A machine in numbers; shares and participation are means over the units with weights.

    A machine without any weights has the numbers of a uniform field, and ``silent`` says so.
    """
    L = fields.shape[-1]
    silent = abs(fields).reshape(len(fields), -1).max(axis=1) == 0
    spoken = fields if silent.all() else fields[~silent]
    numbers: dict[str, float] = {
        "units": len(fields),
        "silent": int(silent.sum()),
        "participation": float(participation_ratio(spoken).mean()),
    }
    for size in (2, 4):
        windows = best_windows(spoken, size)
        tiles = tiling(windows, size, L)
        numbers[f"share_{size}x{size}"] = float(windows.share.mean())
        numbers[f"covered_{size}x{size}"] = tiles.covered
        numbers[f"overlap_{size}x{size}"] = tiles.overlap
        numbers[f"random_{size}x{size}"] = tiles.random
        numbers[f"random_sd_{size}x{size}"] = tiles.random_sd
    return numbers
