"""W Wᵀ of both encoders (Shukla & Thakur 2021, figs. 12, B.3, B.4)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.matrix_display import draw_matrix
from coarsegrain.figures.autoencoder.nets import NET_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, in_words, styled

Weights = NDArray[np.floating]
# End of the colour scale of all panels, in units of the mean diagonal element: what is a tenth of
# the diagonal, which the claims ask for, is a fifth of the scale.
SCALE = 0.5


@styled
def spin_correlations(
    rg: tuple[Sequence[Weights], Sequence[Weights]],
    autoencoder: tuple[Sequence[Weights], Sequence[Weights]],
    L: int,
    zoom: int,
) -> Figure:
    """Plot W₁W₁ᵀ and W₂W₂ᵀ of both encoders: whole, zoomed in, and averaged along diagonals.

    Matrices are those of the first members, averages those of all.

    Args:
        rg: of every member, weights (L², L²/2), and (L²/2, L²/4), of the trained coarse-grainers;
            y = xW.
        autoencoder: the same layers of Model-1.
        L: linear size of the input lattice, which sets the offsets of neighbours.
        zoom: elements per side of the zoomed corner; more than 2L are shown in any case.
    """
    zoom = max(zoom, 2 * L + L // 4)
    columns = [
        ("W₁W₁ᵀ, trained coarse-grainer", [in_units_of_the_diagonal(each) for each in rg[0]]),
        ("W₁W₁ᵀ, autoencoder Model-1", [in_units_of_the_diagonal(each) for each in autoencoder[0]]),
        ("W₂W₂ᵀ, trained coarse-grainer", [in_units_of_the_diagonal(each) for each in rg[1]]),
        ("W₂W₂ᵀ, autoencoder Model-1", [in_units_of_the_diagonal(each) for each in autoencoder[1]]),
    ]
    figure = Figure(figsize=(12, 10), layout="constrained")
    panels = figure.subplot_mosaic(
        [[f"whole {c}" for c in range(4)], [f"corner {c}" for c in range(4)], [*"1122"]],
        height_ratios=[1, 1, 0.75],
    )
    drawn = []
    for c, (title, members) in enumerate(columns):
        correlations = members[0]
        whole, corner = panels[f"whole {c}"], panels[f"corner {c}"]
        drawn += [whole, corner]
        image = draw_matrix(whole, correlations, SCALE)
        draw_matrix(corner, correlations[:zoom, :zoom], SCALE)
        _mark_offsets(corner, L, min(zoom, len(correlations)))
        whole.set_title(f"{title}\n{correlations.shape[0]}×{correlations.shape[1]}, member 0")
        corner.set_title("its first rows and columns", fontsize=8.5, pad=16)
        corner.set_xlabel("site j")
    for axes in (panels["whole 0"], panels["corner 0"]):
        axes.set_ylabel("site i")
    bar = figure.colorbar(image, ax=drawn, location="right", extend="both", aspect=40, pad=0.01)
    bar.set_label("element, in units of the mean diagonal element: one scale for all panels")
    _draw_profiles(panels["1"], "W₁W₁ᵀ", columns[0][1], columns[1][1], L)
    _draw_profiles(panels["2"], "W₂W₂ᵀ", columns[2][1], columns[3][1], L)
    describe(
        figure,
        title="Which input sites share units: W Wᵀ of both encoders",
        note="Every matrix is divided by its mean diagonal element, 1 on this scale, so that the "
        f"diagonal lies beyond its end at {SCALE:g}. In the upper row a pixel shows the strongest "
        "element it covers.\nSites are numbered row by row: "
        f"j = i ± {L} is the neighbour in the next row of the {L}×{L} lattice (W₁), "
        f"j = i ± {L // 2} that of the {L}×{L // 2} array after one decimation (W₂); triangles "
        "mark these offsets.\nMatrices: the first member of each net. Lowest row: "
        f"{in_words(len(rg[0]), 'member')} of the coarse-grainers and "
        f"{in_words(len(autoencoder[0]), 'member')} of Model-1, each a line of its own; dotted: "
        "mean absolute values, in which noise does not cancel.",
        remakes=f"figs. 12, B.3 and B.4 of {PAPER}",
    )
    return figure


def in_units_of_the_diagonal(weights: Weights) -> Weights:
    """W Wᵀ divided by its mean diagonal element; weights that are all 0 stay 0."""
    correlations = weights @ weights.T
    return np.asarray(correlations / (float(np.mean(np.diagonal(correlations))) or 1.0))


def mean_by_offset(
    correlations: Weights, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean element, and mean absolute element, along each diagonal j − i, from −most to most.

    The offset 0 is left out.
    """
    most = min(most, len(correlations) - 1)
    offsets = np.array([*range(-most, 0), *range(1, most + 1)])
    diagonals = [np.diagonal(correlations, offset) for offset in offsets]
    means = np.array([diagonal.mean() for diagonal in diagonals], dtype=float)
    sizes = np.array([np.abs(diagonal).mean() for diagonal in diagonals], dtype=float)
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


def _draw_profiles(
    axes: Axes, name: str, rg: Sequence[Weights], autoencoder: Sequence[Weights], L: int
) -> None:
    curves = [
        ("coarse-grainer", rg, NET_COLOURS["CG"]),
        ("autoencoder Model-1", autoencoder, NET_COLOURS["Model-1"]),
    ]
    for label, members, colour in curves:
        shown, shown_absolute = label, f"{label}, absolute values"
        for correlations in members:
            offsets, means, sizes = mean_by_offset(correlations, 2 * L)
            means, sizes = (np.insert(each, len(each) // 2, np.nan) for each in (means, sizes))
            offsets = np.insert(offsets, len(offsets) // 2, 0)  # a gap instead of the diagonal
            axes.plot(offsets, means, color=colour, lw=1, label=shown)
            axes.plot(offsets, sizes, color=colour, lw=0.8, ls=":", label=shown_absolute)
            shown = shown_absolute = "_one more member"
    for offset in (-L, -L // 2, L // 2, L):
        axes.axvline(offset, color=GREY, lw=0.6, zorder=0)
    axes.xaxis.set_major_locator(MultipleLocator(L // 2))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.35 * (high - low))
    axes.legend(ncols=2, loc="upper center", fontsize=7.5)
    axes.set_title(f"Mean element of {name} by offset, every member")
    axes.set_xlabel("offset j − i in sites; 0, the diagonal, left out")
    axes.set_ylabel("in units of the diagonal")
