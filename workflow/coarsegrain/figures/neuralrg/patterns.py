"""Gradient patterns: how latent variables of each scale respond to the fields."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from coarsegrain.figures.style import SIGNED_MAP, describe, in_words, lattice_axes, styled

Array = npt.NDArray[np.float64]
#: What the control's row is called.
LINEAR = "linear map,\nno flow"


@styled
def patterns(table: pd.DataFrame) -> Figure:
    """Draw a row for every flow, a picture for every scale; the linear map's row comes first.

    Args:
        table: columns ``L, T, flow, member, scale, row, column, gradient, whitening, samples``.
    """
    scales = sorted(table["scale"].unique())
    rows = {LINEAR: table.assign(gradient=table["whitening"])}
    rows |= {str(flow): of_flow for flow, of_flow in table.groupby("flow", sort=False)}
    means = {
        (words, scale): _mean(of_row[of_row["scale"] == scale])
        for words, of_row in rows.items()
        for scale in scales
    }
    largest = max(float(np.nanmax(np.abs(each))) for each in means.values())
    figure = Figure(figsize=(3.2 + 2.0 * len(scales), 1.6 + 1.95 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(scales), squeeze=False)
    for line, words in zip(panels, rows):
        for axes, scale in zip(line, scales):
            pattern = means[words, scale]
            image = axes.imshow(pattern, cmap=SIGNED_MAP, vmin=-largest, vmax=largest)
            axes.set_xlabel(f"{radius(pattern):.2f} sites", fontsize=7, labelpad=2)
            lattice_axes(axes)
        line[0].set_ylabel(words.replace(", ", ",\n"), rotation=0, ha="right", va="center")
    for axes, scale in zip(panels[0], scales):
        axes.set_title(f"scale {scale}", loc="center")
    figure.colorbar(image, ax=panels, shrink=0.6, pad=0.02, label="∂z/∂x")
    first = table.iloc[0]
    describe(
        figure,
        title=f"What latent variables are made of, L = {first['L']}, T = {first['T']:.4g}",
        note="Mean response of a latent variable to the fields around it (the variable's site is "
        "in the middle), over "
        f"{in_words(int(first['samples']), 'exact sample')}, all variables\nof its kind, and "
        f"{in_words(table['member'].nunique(), 'member')}; one scale of colours for all pictures. "
        "Below each its radius, √(Σ g² r²/Σ g²). First row: the linear map that takes\naway all "
        "correlations, which knows no scales.",
    )
    return figure


def radius(pattern: Array) -> float:
    """Root mean square distance from the middle, weighted by the squares of a pattern (L, L)."""
    away = np.arange(len(pattern)) - len(pattern) // 2
    distance = away[:, None] ** 2 + away**2
    return float(np.sqrt((pattern**2 * distance).sum() / (pattern**2).sum()))


def _mean(rows: pd.DataFrame) -> Array:
    """Over members and, of the linear map, over flows."""
    by_site = rows.pivot_table(values="gradient", index="row", columns="column")  # means
    return np.asarray(by_site, dtype=np.float64)
