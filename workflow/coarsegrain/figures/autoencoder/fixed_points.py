"""Rows of fixed points with their intervals, and which way β flows."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS
from coarsegrain.figures.style import GREY

# source → (its words, the lattices or curve whose flow it has; none: a value from elsewhere)
SOURCES = {
    "autoencoder_line": ("autoencoder, straight line", "autoencoder"),
    "autoencoder_interpolated": ("autoencoder, points", "autoencoder"),
    "autoencoder_sign_line": ("autoencoder after sign(), line", "autoencoder_sign"),
    "input_line": ("control: inputs, straight line", "input"),
    "decimation_eq5": ("decimation, eq. 5", "decimation_eq5"),
    "exact_critical_point": ("exact critical point", ""),
    "paper_autoencoder": ("paper: autoencoder, line", ""),
    "paper_decimation": ("paper: decimation, eq. 5", ""),
}
# lattices → (colour, marker, is it filled?)
MARKS = {
    "autoencoder": (LATTICE_COLOURS["autoencoder"], "o", True),
    "autoencoder_sign": (LATTICE_COLOURS["autoencoder"], "s", False),
    "input": (LATTICE_COLOURS["input"], "^", False),
    "decimation_eq5": (LATTICE_COLOURS["decimated"], "D", True),
    "": (GREY, "|", True),
}
ARROWS = 19


def draw_fixed_points(axes: Axes, fixed_points: pd.DataFrame, table: pd.DataFrame) -> None:
    """Draw a row for each source: its fixed point, the interval, its value, the way β flows.

    Args:
        axes: whose horizontal ends are set; what lies beyond them is marked at the edge.
        fixed_points: columns ``source, beta_star, low, high``; all three may be NaN.
        table: columns ``beta, lattices, beta_predicted``, for the directions.
    """
    sources = [source for source in SOURCES if source in set(fixed_points["source"])]
    axes.set_autoscalex_on(False)
    for row, source in enumerate(sources):
        found = fixed_points[fixed_points["source"] == source].iloc[0]
        _draw_fixed_point(axes, row, source, found)
        _draw_arrows(axes, row, table[table["lattices"] == SOURCES[source][1]])
    axes.set_yticks(range(len(sources)), [SOURCES[source][0] for source in sources])
    axes.set_ylim(len(sources) - 0.4, -0.6)
    axes.set_title("Fixed points β′ = β by the thermometer net, and which way β flows")
    axes.set_xlabel("inverse temperature β before the map (J = k$_B$ = 1)")


def _draw_fixed_point(axes: Axes, row: int, source: str, found: pd.Series) -> None:
    """A mark with its interval in the row, and its value in words at the right end."""
    star, low, high = (float(found[name]) for name in ("beta_star", "low", "high"))
    left, right = axes.get_xlim()
    kind = SOURCES[source][1]
    colour, marker, filled = MARKS[kind]
    words = f"{star:.4f}" if kind else f"{star:.5g}"
    if not np.isfinite(star):
        words = "no crossing of every pair"
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [row, row], color=colour, lw=2.2, solid_capstyle="butt")
        for end, beyond, arrow in ((left, low < left, "<"), (right, high > right, ">")):
            if beyond:
                axes.plot(end, row, marker=arrow, color=colour, ms=8, ls="", clip_on=False)
        if high > low:
            words += f"  [{low:.4f}, {high:.4f}]"
    if np.isfinite(star):
        face = colour if filled else "white"
        axes.plot(star, row, marker=marker, color=colour, mfc=face, ms=7, mew=1.5, ls="", zorder=3)
        if not left <= star <= right:
            words += "  (off scale)"
    axes.annotate(
        words,
        xy=(1.015, row),
        xycoords=axes.get_yaxis_transform(),
        va="center",
        fontsize=8,
        color=colour,
    )


def _draw_arrows(axes: Axes, row: int, rows: pd.DataFrame) -> None:
    """Small triangles along the row: to the right where β′ > β, to the left where β′ < β."""
    if rows.empty:
        return
    mean = rows.dropna(subset=["beta_predicted"]).groupby("beta")["beta_predicted"].mean()
    beta = mean.index.to_numpy(dtype=float)
    at = np.linspace(beta[0], beta[-1], ARROWS + 2)[1:-1]
    moves = np.interp(at, beta, mean.to_numpy(dtype=float)) - at
    colour, *_ = MARKS[str(rows["lattices"].iloc[0])]
    for marker, chosen in ((">", moves > 0), ("<", moves < 0)):
        axes.plot(
            at[chosen],
            np.full(chosen.sum(), row),
            marker=marker,
            color=colour,
            ms=4,
            ls="",
            alpha=0.35,
        )
