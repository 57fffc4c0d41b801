"""β before and after each map, and where it stays (Shukla & Thakur 2021, fig. 16)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, in_words, styled

CURVE = "decimation_eq5"
# lattices → (colour, marker, is it filled?, words)
KINDS = {
    "autoencoder": (LATTICE_COLOURS["autoencoder"], "o", True, "output of the autoencoder AE-WR"),
    "autoencoder_sign": (LATTICE_COLOURS["autoencoder"], "s", False, "the same, after sign()"),
    "input": (LATTICE_COLOURS["input"], "^", False, "control: the inputs themselves"),
    CURVE: (LATTICE_COLOURS["decimated"], "D", True, "decimation: β′ = (3/8) ln cosh 4β (eq. 5)"),
}
# source → (its words, the lattices whose colour and flow it has; none: a value from elsewhere)
SOURCES = {
    "autoencoder_line": ("autoencoder, straight line", "autoencoder"),
    "autoencoder_interpolated": ("autoencoder, interpolated", "autoencoder"),
    "autoencoder_sign_line": ("autoencoder after sign(), line", "autoencoder_sign"),
    "input_line": ("control: inputs, straight line", "input"),
    CURVE: ("decimation, eq. 5", CURVE),
    "exact_critical_point": ("exact critical point", ""),
    "paper_autoencoder": ("paper: autoencoder, line", ""),
    "paper_decimation": ("paper: decimation, eq. 5", ""),
}
ARROWS = 13


@styled
def beta_flow(table: pd.DataFrame, fixed_points: pd.DataFrame) -> Figure:
    """Plot β measured after a map against β before it; below, the fixed points and the flow.

    Args:
        table: columns ``beta, lattices, beta_predicted, std_error, member``; ``lattices`` is input,
            autoencoder, autoencoder_sign or decimation_eq5, the last without members.
        fixed_points: columns ``source, beta_star, low, high``; all three may be NaN where a line
            does not cross the diagonal.
    """
    sources = [source for source in SOURCES if source in set(fixed_points["source"])]
    figure = Figure(figsize=(9.6, 8.2), layout="constrained")
    flow, marks = figure.subplots(
        2, 1, sharex=True, height_ratios=[2.2, 0.17 * max(len(sources), 1)]
    )
    ends = np.array([table["beta"].min(), table["beta"].max()])
    margin = 0.03 * max(float(np.ptp(ends)), 0.1)
    flow.set_xlim(ends[0] - margin, ends[1] + margin)
    flow.plot(ends, ends, color="black", lw=1, label="unchanged: β′ = β")
    for kind in KINDS:
        rows = table[table["lattices"] == kind]
        _draw_kind(flow, kind, rows)
        line = straight_line(rows) if kind == "autoencoder" else None
        if line is not None:
            label = f"straight line through these, slope {line[0]:.3f}"
            flow.plot(ends, line[0] * ends + line[1], "--", color=KINDS[kind][0], label=label)
    flow.set_ylabel("inverse temperature β′ after the map")
    flow.legend(loc="upper left")
    for row, source in enumerate(sources):
        found = fixed_points[fixed_points["source"] == source].iloc[0]
        _draw_fixed_point(marks, row, source, found)
        _draw_arrows(marks, row, table[table["lattices"] == SOURCES[source][1]])
        if SOURCES[source][1] and np.isfinite(found["beta_star"]):
            _mark_on_diagonal(flow, source, float(found["beta_star"]))
    marks.set_yticks(range(len(sources)), [SOURCES[source][0] for source in sources])
    marks.set_ylim(len(sources) - 0.4, -0.6)
    marks.set_title("Fixed points β′ = β (with intervals), and which way β flows")
    marks.set_xlabel("inverse temperature β before the map (J = k$_B$ = 1)")
    members = table.loc[table["lattices"] != CURVE, "member"].nunique()
    describe(
        figure,
        title="Where each map sends the inverse temperature",
        note=f"Points: β read by the thermometer net, mean of {in_words(members, 'member')}; error "
        "bars: smallest to largest member. Dashed: least-squares line through the autoencoder's "
        "points.\nThe control has no map at all: only the thermometer's own bias moves it. Arrows "
        "point where a map moves β. Stars: fixed points of the autoencoder's line and of eq. 5.",
        remakes=f"fig. 16 of {PAPER}",
    )
    return figure


def straight_line(rows: pd.DataFrame) -> tuple[float, float] | None:
    """Slope and intercept of the least-squares line of β′ on β; None with fewer than two β."""
    rows = rows.dropna(subset=["beta", "beta_predicted"])
    if rows["beta"].nunique() < 2:
        return None
    slope, intercept = np.polyfit(rows["beta"], rows["beta_predicted"], 1)
    return float(slope), float(intercept)


def mean_and_range(
    rows: pd.DataFrame,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """β (n,), mean β′ of the members (n,), and the smallest and largest member (2, n)."""
    groups = rows.groupby("beta")["beta_predicted"]
    mean = groups.mean()
    extremes = np.array([groups.min(), groups.max()], dtype=float)
    return mean.index.to_numpy(dtype=float), mean.to_numpy(dtype=float), extremes


def _draw_kind(axes: Axes, kind: str, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    colour, marker, filled, label = KINDS[kind]
    beta, mean, extremes = mean_and_range(rows)
    if kind == CURVE:
        axes.plot(beta, mean, color=colour, lw=1.8, label=label)
        return
    axes.vlines(beta, *extremes, color=colour, lw=1)
    face = colour if filled else "white"
    axes.plot(beta, mean, marker=marker, color=colour, mfc=face, ls="", label=label)


def _draw_fixed_point(axes: Axes, row: int, source: str, found: pd.Series) -> None:
    """A mark with its interval in the row, and its value in words at the right end."""
    star, low, high = (float(found[name]) for name in ("beta_star", "low", "high"))
    kind = SOURCES[source][1]
    colour, marker, filled, _ = KINDS[kind] if kind else (GREY, "|", True, "")
    words = f"{star:.4f}" if kind else f"{star:.5g}"
    if not np.isfinite(star):
        words = "no crossing"
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [row, row], color=colour, lw=2.2, solid_capstyle="butt")
        if high > low:
            words += f"  [{low:.4f}, {high:.4f}]"
    if np.isfinite(star):
        face = colour if filled else "white"
        axes.plot(star, row, marker=marker, color=colour, mfc=face, ms=7, mew=1.5, ls="", zorder=3)
        if not axes.get_xlim()[0] <= star <= axes.get_xlim()[1]:
            words += "  (off scale)"
    axes.annotate(
        words,
        xy=(1.01, row),
        xycoords=axes.get_yaxis_transform(),
        va="center",
        fontsize=8,
        color=colour,
    )


def _draw_arrows(axes: Axes, row: int, rows: pd.DataFrame) -> None:
    """Small triangles along the row: to the right where β′ > β, to the left where β′ < β."""
    if rows.empty:
        return
    beta, mean, _ = mean_and_range(rows.dropna(subset=["beta_predicted"]))
    at = np.linspace(beta[0], beta[-1], ARROWS + 2)[1:-1]
    moves = np.interp(at, beta, mean) - at
    colour = KINDS[str(rows["lattices"].iloc[0])][0]
    for marker, chosen in ((">", moves > 0), ("<", moves < 0)):
        axes.plot(
            at[chosen],
            np.full(chosen.sum(), row),
            marker=marker,
            color=colour,
            ms=4.5,
            ls="",
            alpha=0.4,
        )


def _mark_on_diagonal(axes: Axes, source: str, star: float) -> None:
    left, right = axes.get_xlim()
    if source in ("autoencoder_line", CURVE) and left <= star <= right:
        colour = KINDS[SOURCES[source][1]][0]
        axes.axvline(star, color=colour, lw=0.8, ls=":", zorder=0)
        axes.plot(star, star, marker="*", ms=13, color=colour, mec="white", ls="", zorder=4)
