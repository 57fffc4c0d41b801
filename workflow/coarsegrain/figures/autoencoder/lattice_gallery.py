"""Lattices at several β, as they are, autoencoded and decimated (Shukla & Thakur 2021, fig. 14)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.nets import PAPER
from coarsegrain.figures.style import SPIN_MAP, describe, in_words, lattice_axes, styled

LABELS = {
    "input": "input",
    "autoencoder": "autoencoder AE-WR,\nsign of its output",
    "autoencoders": "the same, mean\nof all members",
    "decimated": "decimated twice",
}


@styled
def lattice_gallery(
    rows: Mapping[str, Sequence[NDArray[np.number]]], betas: Sequence[float], members: int
) -> Figure:
    """Plot a grid of lattices: one column per β, one row per kind.

    Args:
        rows: kind (input, autoencoder, autoencoders, decimated) → one (l, l) lattice per β, of ±1
            or of means of them; l may differ between kinds.
        betas: inverse temperature of each column.
        members: of the autoencoder, over which the means are.
    """
    figure = Figure(figsize=(1.0 + 2.1 * len(betas), 1.4 + 2.1 * len(rows)), layout="constrained")
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
        note="Dark: −1, light: +1. The first lattice at each β, the same in all rows. Second\n"
        "row: the first member. Third row: mean of the signs of "
        f"{in_words(members, 'member')}; in between\nwhere members differ. An illustration, not a "
        "measurement.",
        remakes=f"fig. 14 of {PAPER}",
    )
    return figure
