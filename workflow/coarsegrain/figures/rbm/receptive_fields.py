"""Receptive fields of hidden units, machine by machine, and where their windows lie."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from coarsegrain.figures.style import SIGNED_MAP, describe, lattice_axes, styled
from coarsegrain.rbm.receptive_fields import best_windows, participation_ratio

WINDOW = 2
# How often a site is covered by windows; more has the last colour.
MOST_TIMES = 4


@styled
def receptive_field_pictures(machines: Mapping[str, NDArray[np.float64]], units: int) -> Figure:
    """Draw a row of fields for every machine, from the most local unit to the least.

    Args:
        machines: words → fields, (hidden units, L, L).
        units: pictures in a row: at equal steps of rank by participation ratio, ends included.
    """
    height = 1.35 * len(machines) + 1.5
    figure = Figure(figsize=(1.2 * (units + 1) + 2.2, height), layout="constrained")
    panels = figure.subplots(len(machines), units + 1, squeeze=False)
    times = None
    for row, (words, fields) in zip(panels, machines.items()):
        shown = chosen_units(fields, units)
        strongest = float(abs(fields[shown]).max())
        scale = strongest or 1.0
        participation = participation_ratio(fields)
        for axes, unit in zip(row, shown):
            axes.imshow(fields[unit], cmap=SIGNED_MAP, vmin=-scale, vmax=scale)
            axes.set_xlabel(f"{participation[unit]:.3g}", fontsize=7, labelpad=2)
        for axes in row[len(shown) : units]:
            axes.set_visible(False)
        words += f"\n|w| ≤ {strongest:.2g}" if strongest else "\nno weights"
        row[0].set_ylabel(words, fontsize=8, rotation=0, ha="right", va="center")
        times = _draw_cover(row[-1], fields)
        for axes in row:
            lattice_axes(axes)
    panels[0][0].set_title("most local", fontsize=8)
    if units > 1:
        panels[0][units - 1].set_title("least local", fontsize=8)
    panels[0][-1].set_title("all 2×2 windows", fontsize=8)
    if times is not None:
        bar = figure.colorbar(times, ax=list(panels[:, -1]), shrink=0.8, extend="max", pad=0.02)
        bar.set_label("windows over a site", fontsize=8)
        bar.locator = MaxNLocator(integer=True)
    describe(
        figure,
        title="Receptive fields of hidden units",
        note="Weights of single units on the lattice (blue −, red +), the scale of each row at its "
        "left; below each picture the number of sites\nthat take part, (Σw²)²/Σw⁴. Units are taken "
        "at equal steps of rank by it. Right: where the best 2×2 windows of all units lie;\n"
        "block spins would cover every site once. Units without weights have no window.",
    )
    return figure


def chosen_units(fields: NDArray[np.float64], number: int) -> list[int]:
    """Units at equal steps of rank by participation ratio, the most local first; no unit twice."""
    order = np.argsort(participation_ratio(fields), kind="stable")
    ranks = np.unique(np.round(np.linspace(0, len(order) - 1, min(number, len(order)))))
    return [int(order[int(rank)]) for rank in ranks]


def cover(fields: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many units' best windows lie over each site, (L, L)."""
    L = fields.shape[-1]
    windows = best_windows(fields, WINDOW)
    times = np.zeros((L, L), dtype=np.int64)
    for row, col in zip(windows.row, windows.col):
        if row >= 0:
            i, j = (row + np.arange(WINDOW)) % L, (col + np.arange(WINDOW)) % L
            times[np.ix_(i, j)] += 1
    return times


def _draw_cover(axes: Axes, fields: NDArray[np.float64]) -> AxesImage:
    times = cover(fields)
    axes.set_xlabel(f"{(times > 0).mean():.0%} covered", fontsize=7, labelpad=2)
    return axes.imshow(times, cmap="Greys", vmin=0, vmax=MOST_TIMES)
