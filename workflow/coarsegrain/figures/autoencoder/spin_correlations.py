"""W Wᵀ of both encoders (Shukla & Thakur 2021, figs. 12, B.3, B.4)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.matrix_display import draw_matrix, draw_scale
from coarsegrain.figures.autoencoder.nets import NET_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, styled

Weights = NDArray[np.floating]
# The colour scale ends here among the absolute values of the off-diagonal elements. The lines at
# offsets ±L hold a share of 2/L² of a matrix: 0.2 % at L = 32.
SCALE_PERCENTILE = 99.9


@styled
def spin_correlations(
    rg: tuple[Weights, Weights], autoencoder: tuple[Weights, Weights], L: int, zoom: int
) -> Figure:
    """Plot W₁W₁ᵀ and W₂W₂ᵀ of both encoders: whole, zoomed in, and averaged along diagonals.

    Args:
        rg: weights (L², L²/2) and (L²/2, L²/4) of the trained coarse-grainers; y = xW.
        autoencoder: the same layers of Model-1.
        L: linear size of the input lattice, which sets the offsets of neighbours.
        zoom: elements per side of the zoomed corner; more than 2L are shown in any case.
    """
    zoom = max(zoom, 2 * L + L // 4)
    columns = [
        ("W₁W₁ᵀ, trained coarse-grainer", rg[0] @ rg[0].T),
        ("W₁W₁ᵀ, autoencoder Model-1", autoencoder[0] @ autoencoder[0].T),
        ("W₂W₂ᵀ, trained coarse-grainer", rg[1] @ rg[1].T),
        ("W₂W₂ᵀ, autoencoder Model-1", autoencoder[1] @ autoencoder[1].T),
    ]
    figure = Figure(figsize=(12, 10), layout="constrained")
    panels = figure.subplot_mosaic(
        [[f"whole {c}" for c in range(4)], [f"corner {c}" for c in range(4)], [*"1122"]],
        height_ratios=[1, 1, 0.75],
    )
    for c, (title, correlations) in enumerate(columns):
        whole, corner = panels[f"whole {c}"], panels[f"corner {c}"]
        scale = off_diagonal_scale(correlations)
        image = draw_matrix(whole, correlations, scale)
        draw_matrix(corner, correlations[:zoom, :zoom], scale)
        _mark_offsets(corner, L, min(zoom, len(correlations)))
        whole.set_title(f"{title}\n{correlations.shape[0]}×{correlations.shape[1]}")
        corner.set_title("its first rows and columns", fontsize=8.5, pad=16)
        corner.set_xlabel("site j")
        draw_scale(figure, image, [whole, corner], "element")
    for axes in (panels["whole 0"], panels["corner 0"]):
        axes.set_ylabel("site i")
    _draw_profiles(panels["1"], "W₁W₁ᵀ", columns[0][1], columns[1][1], L)
    _draw_profiles(panels["2"], "W₂W₂ᵀ", columns[2][1], columns[3][1], L)
    describe(
        figure,
        title="Which input sites share units: W Wᵀ of both encoders",
        note="Each pair of panels has its own colour scale: it ends at the 99.9th percentile of "
        "the absolute off-diagonal elements, so the diagonal saturates. In the upper row "
        "a pixel shows the strongest element it covers.\nSites are numbered row by row: "
        f"j = i ± {L} is the neighbour in the next row of the {L}×{L} lattice (W₁), "
        f"j = i ± {L // 2} that of the {L}×{L // 2} array after one decimation (W₂).\n"
        "Triangles mark these offsets. One member of each net.",
        remakes=f"figs. 12, B.3 and B.4 of {PAPER}",
    )
    return figure


def off_diagonal_scale(correlations: Weights) -> float:
    """End of the colour scale, from the off-diagonal elements: the diagonal may lie beyond it.

    A matrix that is exactly diagonal, as hard-coded decimation gives, is scaled by its diagonal.
    """
    off_diagonal = np.abs(correlations[~np.eye(len(correlations), dtype=bool)])
    scale = float(np.percentile(off_diagonal, SCALE_PERCENTILE))
    return scale or float(np.abs(correlations).max()) or 1.0


def mean_by_offset(
    correlations: Weights, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean element, and mean absolute element, along each diagonal j − i, from −most to most.

    Both are in units of the mean diagonal element; the offset 0 is left out.
    """
    most = min(most, len(correlations) - 1)
    offsets = np.array([*range(-most, 0), *range(1, most + 1)])
    diagonals = [np.diagonal(correlations, offset) for offset in offsets]
    unit = float(np.mean(np.diagonal(correlations))) or 1.0
    means = np.array([diagonal.mean() for diagonal in diagonals]) / unit
    sizes = np.array([np.abs(diagonal).mean() for diagonal in diagonals]) / unit
    return offsets, means, sizes


def _mark_offsets(axes: Axes, L: int, shown: int) -> None:
    """Triangles on the upper and left edge where the lines j − i = ±L/2 and ±L begin."""
    axes.xaxis.set_major_locator(MultipleLocator(L // 2))
    axes.yaxis.set_major_locator(MultipleLocator(L // 2))
    axes.tick_params(axis="y", pad=8)
    for offset in (L // 2, L):
        if offset < shown:
            above, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
            axes.plot(offset, 1.03, "kv", ms=4, clip_on=False, transform=above)
            axes.plot(-0.03, offset, "k>", ms=4, clip_on=False, transform=beside)
            axes.annotate(
                f"+{offset}",
                xy=(offset, 1.03),
                xycoords=above,
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )


def _draw_profiles(axes: Axes, name: str, rg: Weights, autoencoder: Weights, L: int) -> None:
    curves = [
        ("coarse-grainer", rg, NET_COLOURS["CG"]),
        ("autoencoder Model-1", autoencoder, NET_COLOURS["Model-1"]),
    ]
    for label, correlations, colour in curves:
        offsets, means, sizes = mean_by_offset(correlations, 2 * L)
        means, sizes = (np.insert(each, len(each) // 2, np.nan) for each in (means, sizes))
        offsets = np.insert(offsets, len(offsets) // 2, 0)  # a gap instead of the diagonal
        axes.plot(offsets, means, color=colour, label=label)
        axes.plot(offsets, sizes, color=colour, lw=0.9, ls=":", label=f"{label}, absolute values")
    for offset in (-L, -L // 2, L // 2, L):
        axes.axvline(offset, color=GREY, lw=0.6, zorder=0)
    axes.xaxis.set_major_locator(MultipleLocator(L // 2))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.35 * (high - low))
    axes.legend(ncols=2, loc="upper center", fontsize=7.5)
    axes.set_title(f"Mean element of {name} by offset")
    axes.set_xlabel("offset j − i in sites; 0, the diagonal, left out")
    axes.set_ylabel("in units of the diagonal")
