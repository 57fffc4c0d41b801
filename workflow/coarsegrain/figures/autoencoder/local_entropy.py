"""Local entropy against β for three kinds of lattices (Shukla & Thakur 2021, fig. 13)."""

import pandas as pd
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

TITLES = {
    "crop": "Windows cut off at the edges (the paper's setting)",
    "periodic": "Windows continued periodically",
}
LABELS = {
    "input": ("input lattices", "o", "-"),
    "autoencoder": ("output of the autoencoder AE-WR", "s", "--"),
    "decimated": ("lattices decimated twice", "^", "-."),
}


@styled
def local_entropy(table: pd.DataFrame) -> Figure:
    """Plot the entropy of the 3×3 neighbourhood against β, for both treatments of the edges.

    Args:
        table: columns ``beta``, ``lattices`` (input, autoencoder, decimated), ``boundary`` (crop,
            periodic), ``entropy_bits`` and ``std_error``, both in bits.
    """
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, (boundary, title) in zip(panels, TITLES.items()):
        for lattices, (label, marker, linestyle) in LABELS.items():
            rows = table[(table["boundary"] == boundary) & (table["lattices"] == lattices)]
            rows = rows.sort_values("beta")
            axes.errorbar(
                rows["beta"],
                rows["entropy_bits"],
                yerr=rows["std_error"],
                color=LATTICE_COLOURS[lattices],
                marker=marker,
                ls=linestyle,
                lw=1.2,
                label=label,
            )
        axes.axvline(BETA_CRITICAL, color=GREY, lw=0.9, ls=":", zorder=0)
        axes.annotate(
            f"critical point\nβ = {BETA_CRITICAL:.4f}",
            xy=(BETA_CRITICAL, 0.97),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="top",
            fontsize=7.5,
            color=GREY,
        )
        axes.set_title(title)
        axes.set_xlabel("inverse temperature β (J = k$_B$ = 1)")
    panels[0].set_ylabel("local entropy (bits)")
    panels[0].set_ylim(bottom=0)
    panels[0].legend(loc="lower left")
    describe(
        figure,
        title="Local entropy of lattices, of the autoencoder's output, and of decimated lattices",
        note="Shannon entropy of the spins in the 3×3 window around a site, averaged over sites "
        "and lattices; 1 bit is the most that two values can have.\n"
        "Error bars: one standard error, over lattices and, for the autoencoder, over members.",
        remakes=f"fig. 13 of {PAPER}",
    )
    return figure
