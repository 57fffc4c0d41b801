"""Lattices at several β, as they are, autoencoded and decimated (Shukla & Thakur 2021, fig. 14)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.nets import PAPER
from coarsegrain.figures.style import SPIN_MAP, describe, lattice_axes, styled

LABELS = {
    "input": "input",
    "autoencoder": "autoencoder AE-WR,\nsign of its output",
    "decimated": "decimated twice",
}


@styled
def lattice_gallery(
    rows: Mapping[str, Sequence[NDArray[np.integer]]], betas: Sequence[float]
) -> Figure:
    """Plot a grid of lattices: one column per β, one row per kind.

    Args:
        rows: kind (input, autoencoder, decimated) → one (l, l) lattice of ±1 per β; l may differ
            between kinds.
        betas: inverse temperature of each column.
    """
    figure = Figure(figsize=(1.0 + 2.1 * len(betas), 1.3 + 2.1 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(betas), squeeze=False)
    for row, (kind, lattices) in zip(panels, rows.items()):
        for axes, lattice in zip(row, lattices, strict=True):
            axes.imshow(lattice, cmap=SPIN_MAP, vmin=-1, vmax=1)
            lattice_axes(axes)
        size = "×".join(str(side) for side in lattices[0].shape)
        row[0].set_ylabel(f"{LABELS.get(kind, kind)}\n{size}")
    for axes, beta in zip(panels[0], betas, strict=True):
        axes.set_title(f"β = {beta:.3g}", loc="center")
    describe(
        figure,
        title="What each map keeps of a lattice",
        note="Dark: spin −1, light: spin +1. One lattice per column, the same in all\n"
        "rows, and one member of the net: an illustration, not a measurement.",
        remakes=f"fig. 14 of {PAPER}",
    )
    return figure
