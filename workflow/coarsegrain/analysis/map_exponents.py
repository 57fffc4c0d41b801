"""The table of a map's exponents: every step and number of couplings, with matching."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from coarsegrain.ising.exact import energy_per_site, heat_capacity_per_site
from coarsegrain.rg.blocking import Level
from coarsegrain.rg.control_variates import (
    Estimate,
    FloatArray,
    energy_controls,
    local_controls,
)
from coarsegrain.rg.coupling_operators import Spins
from coarsegrain.rg.matching import mean_product, mismatch
from coarsegrain.rg.mcrg import exponent

COLUMNS = (
    "map", "L", "step", "couplings", "y_T", "y_T_error", "y_H", "y_H_error",
    "matching", "matching_error", "lattices",
)  # fmt: skip
NOTHING = Estimate(math.nan, math.nan)


def controls(spins: Spins, level: Level, beta: float) -> FloatArray:
    """All control variates of lattices sampled at ``beta``: energy and Callen's identity.

    Args:
        spins: (n, L, L) int8, ±1.
        level: their sums.
        beta: inverse temperature.
    Returns:
        (n, 4).
    """
    L, sites = level.side, level.side**2
    of_energy = energy_controls(
        level.even[:, 0, 0],
        mean=-sites * energy_per_site(beta, L),
        variance=sites * heat_capacity_per_site(beta, L) / beta**2,
    )
    return np.concatenate([of_energy, local_controls(spins, beta)], axis=1)


def exponent_rows(
    name: str,
    levels: Sequence[Level],
    of_lattices: FloatArray,
    matched: Sequence[Estimate],
    couplings: Sequence[int],
) -> list[tuple[object, ...]]:
    """Rows of one map at one L, in ``COLUMNS``.

    Args:
        name: of the map.
        levels: sums before the map and after each step.
        of_lattices: (n, c) control variates.
        matched: by step, the mismatch with lattices of half the side; fewer than steps if unknown.
        couplings: numbers k of couplings: k even ones for y_T, min(k, all) odd ones for y_H.
    """
    rows: list[tuple[object, ...]] = []
    for step, (fine, coarse) in enumerate(pairwise(levels), start=1):
        match = matched[step - 1] if step <= len(matched) else NOTHING
        for k in couplings:
            y_t = exponent(coarse.even[..., :k], fine.even[..., :k], of_lattices)
            y_h = exponent(coarse.odd[..., :k], fine.odd[..., :k], of_lattices)
            measured = [rounded(value) for pair in (y_t, y_h, match) for value in pair]
            rows.append((name, levels[0].side, step, k, *measured, len(of_lattices)))
    return rows


def mismatches(
    levels: tuple[Sequence[Level], Sequence[Level]],
    of_lattices: tuple[FloatArray, FloatArray],
) -> list[Estimate]:
    """Nearest neighbours' correlation after step n + 1 from L less that after n from L/2, by n.

    Args:
        levels: from side L, and from side L/2.
        of_lattices: (n, c) control variates of either.
    """
    after, before = (
        [mean_product(level, controls=known) for level in each]
        for each, known in zip(levels, of_lattices)
    )
    return [mismatch(*pair) for pair in zip(after[1:], before)]


def exponent_table(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """Rows as a table."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS))


def rounded(value: float) -> float:
    """To nine digits: the last ones of a logarithm may be the processor's."""
    return float(f"{value:.9g}")
