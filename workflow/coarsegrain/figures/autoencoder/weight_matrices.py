"""Weights of coarse-grainers and autoencoder (Shukla & Thakur 2021, figs. 11, B.1, B.2)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.matrix_display import draw_matrix, draw_scale
from coarsegrain.figures.autoencoder.nets import PAPER
from coarsegrain.figures.style import describe, styled
from coarsegrain.sparsity import participation_ratio

Weights = NDArray[np.floating]


@styled
def weight_matrices(
    rg: tuple[Sequence[Weights], Sequence[Weights]],
    autoencoder: tuple[Sequence[Weights], Sequence[Weights]],
    zoom: int = 64,
) -> Figure:
    """Plot W₁ and W₂ of both encoders, whole and zoomed in on their first elements.

    Matrices are those of the first members, the inputs per unit those of all.

    Args:
        rg: of every member, weights (L², L²/2), and (L²/2, L²/4), of the trained coarse-grainers;
            y = xW.
        autoencoder: the same layers of Model-1.
        zoom: elements per side of the zoomed corner.
    """
    columns = [
        ("W₁, trained coarse-grainer", rg[0]),
        ("W₁, autoencoder Model-1", autoencoder[0]),
        ("W₂, trained coarse-grainer", rg[1]),
        ("W₂, autoencoder Model-1", autoencoder[1]),
    ]
    figure = Figure(figsize=(12, 7.6), layout="constrained")
    panels = figure.subplots(2, 4)
    for (whole, corner), (title, members) in zip(panels.T, columns):
        weights = members[0]
        scale = typical_strongest_weight(weights)
        image = draw_matrix(whole, weights, scale)
        draw_matrix(corner, weights[:zoom, :zoom], scale)
        inputs, outputs = weights.shape
        whole.set_title(
            f"{title}\n{inputs}×{outputs}, inputs per unit {of_members(members)}", fontsize=9
        )
        corner.set_title("its first rows and columns", fontsize=8.5)
        corner.set_xlabel("unit j of the layer")
        draw_scale(figure, image, [whole, corner], "weight")
    for axes in panels[:, 0]:
        axes.set_ylabel("input i of the layer")
    describe(
        figure,
        title="Weights of the two encoding layers: coarse-grainers against autoencoder",
        note="Each pair of panels has its own colour scale: it ends at the median over units of "
        "the unit's strongest weight. In the upper row a pixel shows the strongest of the weights "
        "it covers.\nInputs per unit: median over units of (Σw²)² / Σw⁴, which is 1 for decimation "
        "itself and about n/3 for n Gaussian weights; smallest to largest member. "
        "Matrices: the first member of each net.",
        remakes=f"figs. 11, B.1 and B.2 of {PAPER}",
    )
    return figure


def of_members(members: Sequence[Weights]) -> str:
    """Inputs per unit of all members, in words: one number if they agree, else the range."""
    found = [f"{inputs:.1f}" for inputs in sorted(map(inputs_per_unit, members))]
    return found[0] if found[0] == found[-1] else f"{found[0]} to {found[-1]}"


def typical_strongest_weight(weights: Weights) -> float:
    """Median over units of the largest |weight| into the unit; 1 where all are 0."""
    return float(np.median(np.abs(weights).max(axis=0))) or 1.0


def inputs_per_unit(weights: Weights) -> float:
    """Median over units of the participation ratio (Σw²)² / Σw⁴; units without weights left out."""
    units = weights.T.astype(np.float64)
    alive = units.any(axis=1)
    return float(np.median(participation_ratio(units[alive]))) if alive.any() else 0.0
