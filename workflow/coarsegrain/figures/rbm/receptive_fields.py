"""Receptive fields of hidden units, machine by machine, and where their windows lie."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from coarsegrain.figures.style import SIGNED_MAP, describe, lattice_axes, styled
from coarsegrain.rbm.receptive_fields import best_windows
from coarsegrain.sparsity import participation_ratio

WINDOW = 2
# How often a site is covered by windows: white for never, a grey for each number, black for more.
MOST_TIMES = 6
COVER_MAP = ListedColormap(
    ["white", *colormaps["Greys"](np.linspace(0.22, 0.8, MOST_TIMES))]
).with_extremes(over="black")
COVER_NORM = BoundaryNorm(np.arange(MOST_TIMES + 2) - 0.5, COVER_MAP.N)


@styled
def receptive_field_pictures(machines: Mapping[str, NDArray[np.float64]], units: int) -> Figure:
    """Draw a row of fields for every machine, from the most local unit to the least.

    Args:
        machines: words → fields, (hidden units, L, L).
        units: pictures in a row: of the units with weights at equal steps of rank by participation
            ratio, ends included; one empty picture for a machine without weights.
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
        weighty = int(_with_weights(fields).sum())
        if 0 < weighty < len(fields):
            words += f"\n{weighty} of {len(fields)} units"
        words += f"\n|w| ≤ {strongest:.2g}" if strongest else "\nno weights"
        row[0].set_ylabel(words, fontsize=8, rotation=0, ha="right", va="center")
        times = _draw_cover(row[-1], fields)
        for axes in row:
            lattice_axes(axes)
    ends = len(chosen_units(next(iter(machines.values())), units))
    panels[0][0].set_title("most local", fontsize=8)
    if ends > 1:
        panels[0][ends - 1].set_title("least local", fontsize=8)
    panels[0][-1].set_title("all 2×2 windows", fontsize=8)
    if times is not None:
        bar = figure.colorbar(times, ax=list(panels[:, -1]), shrink=0.8, extend="max", pad=0.02)
        bar.set_label("windows over a site", fontsize=8)
        bar.set_ticks(range(MOST_TIMES + 1))
        bar.ax.tick_params(which="both", length=0)
    describe(
        figure,
        title="Receptive fields of hidden units",
        note="Weights of single units on the lattice (blue −, red +), the scale of each row at its "
        "left; below each picture the number of sites\nthat take part, (Σw²)²/Σw⁴. Units with "
        "weights are taken at equal steps of rank by it; where some have none, their number is at "
        "the left.\nRight: where the best 2×2 windows of all units lie; block spins would cover "
        "every site once. Units without weights have no window.",
    )
    return figure


def chosen_units(fields: NDArray[np.float64], number: int) -> list[int]:
    """Units with weights at equal steps of rank by participation ratio, the most local first.

    No unit is taken twice; where none has weights, the first one stands for all.

    Args:
        fields: (hidden units, L, L).
        number: the most units to take.
    """
    weighty = np.flatnonzero(_with_weights(fields))
    if not len(weighty):
        return [0]
    order = weighty[np.argsort(participation_ratio(fields[weighty]), kind="stable")]
    ranks = np.unique(np.round(np.linspace(0, len(order) - 1, min(number, len(order)))))
    return [int(order[int(rank)]) for rank in ranks]


def _with_weights(fields: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which units have any weight that is not 0, (hidden units,)."""
    return np.asarray(np.any(fields != 0, axis=(1, 2)))


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
    return axes.imshow(times, cmap=COVER_MAP, norm=COVER_NORM)
