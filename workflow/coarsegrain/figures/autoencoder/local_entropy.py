"""Local entropy against β for three kinds of lattices (Shukla & Thakur 2021, fig. 13)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, in_words, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

TITLES = {
    "crop": "Windows cut off at the edges (the paper's setting)",
    "periodic": "Windows continued periodically",
}
IMAGES = {"sign": "sign()", "rescale": "256 grey levels"}
# lattices → (words, marker, line style)
LABELS = {
    "input": ("input lattices", "o", "-"),
    "autoencoder": ("output of the autoencoder AE-WR", "s", "--"),
    "decimated": ("lattices decimated twice", "^", "-."),
}


@styled
def local_entropy(table: pd.DataFrame, gaps: pd.DataFrame, image: str) -> Figure:
    """Plot the entropy of the 3×3 neighbourhood against β, and its difference to the input.

    Args:
        table: columns ``beta``, ``lattices`` (input, autoencoder, decimated), ``boundary`` (crop,
            periodic), ``entropy_bits`` and ``std_error``, both in bits.
        gaps: columns ``beta, lattices, image, boundary, member, gap_bits, std_error``; decimated
            lattices have no members. The autoencoder's also with the other image.
        image: how the autoencoder's output became an image in ``table``: sign or rescale.
    """
    figure = Figure(figsize=(11, 9.4), layout="constrained")
    panels = figure.subplot_mosaic(
        [["crop", "periodic"], ["gaps crop", "gaps periodic"], ["other", "other"]],
        height_ratios=[1.25, 1, 0.5],
    )
    of_net = gaps["lattices"] == "autoencoder"
    other = of_net & (gaps["image"] != image)
    for boundary, title in TITLES.items():
        above, below = panels[boundary], panels[f"gaps {boundary}"]
        for lattices in LABELS:
            rows = table[(table["boundary"] == boundary) & (table["lattices"] == lattices)]
            _draw_entropies(above, rows.sort_values("beta"), lattices, image)
        _draw_gaps(below, gaps[~other & (gaps["boundary"] == boundary)])
        above.annotate(
            f"critical point\nβ = {BETA_CRITICAL:.4f}",
            xy=(BETA_CRITICAL, 0.97),
            xycoords=above.get_xaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="top",
            fontsize=7.5,
            color=GREY,
        )
        above.set_title(title)
        above.tick_params(labelbottom=False)
        above.legend(loc="lower left")
        below.set_title("Less that of the input, lattice by lattice")
        below.set_xlabel("inverse temperature β (J = k$_B$ = 1)")
    _draw_gaps(panels["other"], gaps[other])
    panels["other"].set_title(
        "The same with the other image, windows cut off at the edges: "
        + " and ".join(IMAGES[each] for each in gaps.loc[other, "image"].unique())
    )
    panels["other"].set_xlabel("inverse temperature β (J = k$_B$ = 1)")
    for axes in panels.values():
        axes.axvline(BETA_CRITICAL, color=GREY, lw=0.9, ls=":", zorder=0)
    panels["periodic"].sharey(panels["crop"])
    panels["gaps periodic"].sharey(panels["gaps crop"])
    panels["crop"].set_ylim(bottom=0)
    panels["crop"].set_ylabel("local entropy (bits)")
    for name in ("gaps crop", "other"):
        panels[name].set_ylabel("difference (bits)")
    members = gaps["member"].nunique()
    describe(
        figure,
        title="Local entropy of lattices, of the autoencoder's output, and of decimated lattices",
        note="Shannon entropy of the values in the 3×3 window around a site, averaged over sites "
        "and lattices; 1 bit is the most that two values can have, 3.17 bits the most that nine "
        "values can.\nError bars above: one standard error, over lattices and, for the "
        f"autoencoder, over {in_words(members, 'member')}. Below: a thin line for each member, "
        "with the standard error over lattices; strong\nlines: means of members. The paper does "
        f"not say how the output became an image; in the upper rows it is {IMAGES[image]}.",
        remakes=f"fig. 13 of {PAPER}",
    )
    return figure


def _draw_entropies(axes: Axes, rows: pd.DataFrame, lattices: str, image: str) -> None:
    label, marker, linestyle = LABELS[lattices]
    axes.errorbar(
        rows["beta"],
        rows["entropy_bits"],
        yerr=rows["std_error"],
        color=LATTICE_COLOURS[lattices],
        marker=marker,
        ls=linestyle,
        lw=1.2,
        label=f"{label} (image: {IMAGES[image]})" if lattices == "autoencoder" else label,
    )


def _draw_gaps(axes: Axes, gaps: pd.DataFrame) -> None:
    """Of every member with the lattices' error, and of the members' mean."""
    axes.axhline(0, color=LATTICE_COLOURS["input"], lw=1)
    for name, rows in gaps.groupby("lattices", sort=False):
        _, marker, linestyle = LABELS[str(name)]
        colour = LATTICE_COLOURS[str(name)]
        for _, member in rows.groupby("member", dropna=False):
            axes.errorbar(
                member["beta"], member["gap_bits"], yerr=member["std_error"],
                color=colour, lw=0.6, alpha=0.6,
            )  # fmt: skip
        mean = rows.groupby("beta")["gap_bits"].mean()
        axes.plot(mean.index, mean, color=colour, marker=marker, ms=3.5, ls=linestyle, lw=1.2)
