"""β before and after each map, and where it stays (Shukla & Thakur 2021, fig. 16)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from coarsegrain.analysis.intervals import NORMAL, crossed_interval, t_interval
from coarsegrain.figures.autoencoder.fixed_points import draw_fixed_points
from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS, PAPER
from coarsegrain.figures.style import describe, in_words, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

ONCE, TWICE = "decimation_eq5", "decimation_eq5_twice"
# lattices → (colour, marker, is it filled?, words)
KINDS = {
    "autoencoder": (LATTICE_COLOURS["autoencoder"], "o", True, "output of the autoencoder AE-WR"),
    "autoencoder_sign": (LATTICE_COLOURS["autoencoder"], "s", False, "the same, after sign()"),
    "input": (LATTICE_COLOURS["input"], "^", False, "control: the inputs themselves"),
    "decimated": (LATTICE_COLOURS["decimated"], "D", True, "lattices that are decimated twice"),
}
# curve → (line style, words)
CURVES = {
    ONCE: ("-", "eq. 5, one decimation: β′ = (3/8) ln cosh 4β"),
    TWICE: ("--", "eq. 5 twice"),
}
# what is drawn of the exact thermometers: (lattices, thermometer) → (is it filled?, words)
EXACT = {
    ("autoencoder_sign", "E"): (True, "sign() of the autoencoder's output, by energy (E)"),
    ("autoencoder_sign", "R"): (False, "the same, by long distances (R)"),
    ("decimated", "E"): (True, "decimated twice, by energy (E)"),
    ("decimated", "R"): (False, "the same, by long distances (R)"),
}


# Share of the height of marks and curves by which an axis goes on beyond them, for bars.
BEYOND = 0.25


@styled
def beta_flow(table: pd.DataFrame, fixed_points: pd.DataFrame, exact: pd.DataFrame) -> Figure:
    """Plot β measured after a map against β before it, what the maps change, and fixed points.

    Args:
        table: columns ``beta, lattices, autoencoder, thermometer, beta_predicted, std_error,
            less_input, less_input_error``; ``lattices`` is input, autoencoder, autoencoder_sign,
            decimated, or a curve, decimation_eq5 or decimation_eq5_twice, without any net.
        fixed_points: columns ``source, beta_star, low, high``; all three may be NaN where there is
            no crossing.
        exact: readings of the exact thermometers: columns ``beta, lattices, member, change_E,
            beta_E_error`` and the same of R.
    """
    figure = Figure(figsize=(12, 10.4), layout="constrained")
    panels = figure.subplot_mosaic(
        [["flow", "by net"], ["flow", "exact"], ["marks", "marks"]],
        width_ratios=[1.25, 1],
        height_ratios=[1, 1, 0.85],
    )
    flow = panels["flow"]
    ends = np.array([table["beta"].min(), table["beta"].max()])
    margin = 0.03 * max(float(np.ptp(ends)), 0.1)
    for axes in panels.values():
        axes.set_xlim(ends[0] - margin, ends[1] + margin)
    flow.plot(ends, ends, color="black", lw=1, label="unchanged: β′ = β")
    for kind, (colour, *_, label) in KINDS.items():
        rows = table[table["lattices"] == kind]
        _draw_points(flow, kind, with_intervals(rows, "beta_predicted", "std_error"), label)
        line = straight_line(rows) if kind == "autoencoder" else None
        if line is not None:
            words = f"straight line through these, slope {line[0]:.3f}"
            flow.plot(ends, line[0] * ends + line[1], "--", color=colour, lw=1, label=words)
    for curve in CURVES:
        _draw_curve(flow, table[table["lattices"] == curve], curve)
    _end_axis(flow)
    _draw_differences(panels["by net"], table)
    _draw_exact(panels["exact"], exact, table[table["lattices"] == TWICE])
    flow.set_title("β′ by the thermometer net")
    flow.set_ylabel("inverse temperature β′ after the map")
    flow.set_xlabel("inverse temperature β before the map (J = k$_B$ = 1)")
    flow.legend(loc="upper left")
    draw_fixed_points(panels["marks"], fixed_points, table)
    for axes in panels.values():
        axes.axvline(BETA_CRITICAL, color="black", lw=0.7, ls=":", zorder=0)
    autoencoders, thermometers = (
        in_words(table[name].nunique(), name) for name in ("autoencoder", "thermometer")
    )
    describe(
        figure,
        title="Where each map sends the inverse temperature",
        note=f"Points: mean over all pairs of {autoencoders} and {thermometers}. Bars: 95 %, from "
        "the spreads of both nets (Student's t) and the lattices' standard error. Dotted: exact "
        "critical point. The control has no map at all:\nonly the thermometer net's own bias moves "
        "it, and it is subtracted on the right. Decimated lattices were of twice the side before. "
        "E: the β with the measured energy; R: the β whose certified lattices have the\nsame long "
        "waves; where they differ, the lattices are no Ising ensemble. Small triangles point where "
        "a map moves β; arrows at an edge: the interval goes on.",
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


def with_intervals(rows: pd.DataFrame, column: str, error: str) -> pd.DataFrame:
    """Columns ``beta, value, low, high``: means over all pairs of nets, with 95 % intervals.

    The lattices are the same for all nets: their standard error, the mean of the pairs', is common
    to them.
    """
    found = []
    for beta, at_beta in rows.dropna(subset=[column]).groupby("beta"):
        in_common = float(at_beta[error].mean())
        if at_beta["autoencoder"].notna().all():
            grid = at_beta.pivot_table(index="autoencoder", columns="thermometer", values=column)
            interval = crossed_interval(grid.to_numpy(dtype=float), in_common)
        else:
            interval = t_interval(at_beta[column].to_numpy(dtype=float), in_common)
        found.append((beta, *interval))
    return pd.DataFrame(found, columns=["beta", "value", "low", "high"])


def _draw_points(axes: Axes, kind: str, points: pd.DataFrame, label: str) -> None:
    if points.empty:
        return
    colour, marker, filled, _ = KINDS[kind]
    _draw_bars_and_marks(axes, points, colour, marker, filled, label)


def _draw_bars_and_marks(
    axes: Axes, points: pd.DataFrame, colour: str, marker: str, filled: bool, label: str
) -> None:
    axes.vlines(points["beta"], points["low"], points["high"], color=colour, lw=1, alpha=0.7)
    face = colour if filled else "white"
    axes.plot(
        points["beta"], points["value"], marker=marker, ms=4, color=colour, mfc=face, ls="",
        label=label,
    )  # fmt: skip


def _end_axis(axes: Axes, room: float = 0.0) -> None:
    """End the vertical axis near the marks and curves, and mark the bars that go on beyond it.

    Args:
        axes: with all marks, curves and bars in it.
        room: share of the height that is added above, for a legend.
    """
    drawn = np.concatenate([np.asarray(each.get_ydata(), float) for each in axes.get_lines()])
    low, high = float(np.nanmin(drawn)), float(np.nanmax(drawn))
    margin = BEYOND * ((high - low) or 1.0)
    collections = [each for each in axes.collections if isinstance(each, LineCollection)]
    bars = [(bar, each.get_color()[0]) for each in collections for bar in each.get_segments()]
    ends = np.array([bar[:, 1] for bar, _ in bars]).reshape(-1, 2)
    bottom = max(low - margin, min([low, *ends[:, 0]]) - margin / 8)
    top = min(high + margin, max([high, *ends[:, 1]]) + margin / 8)
    top += room * (top - bottom)
    axes.set_ylim(bottom, top)
    for bar, colour in bars:
        for end, beyond, arrow in (
            (bottom, bar[0, 1] < bottom, "v"), (top, bar[1, 1] > top, "^"),
        ):  # fmt: skip
            if beyond:
                axes.plot(bar[0, 0], end, marker=arrow, color=colour, ms=5, ls="", clip_on=False)


def _draw_curve(axes: Axes, rows: pd.DataFrame, curve: str) -> None:
    linestyle, label = CURVES[curve]
    colour = LATTICE_COLOURS["decimated"]
    axes.plot(rows["beta"], rows["beta_predicted"], color=colour, ls=linestyle, label=label)


def _draw_differences(axes: Axes, table: pd.DataFrame) -> None:
    axes.axhline(0, color="black", lw=1)
    for kind in ("autoencoder", "autoencoder_sign", "decimated"):
        rows = table[table["lattices"] == kind]
        points = with_intervals(rows, "less_input", "less_input_error")
        _draw_points(axes, kind, points, KINDS[kind][3])
    axes.set_title("By the net: β′ less what it reads of the inputs")
    axes.set_ylabel("difference to the control")
    _end_axis(axes, room=0.25)
    axes.legend(loc="upper right", fontsize=7.5)


def _draw_exact(axes: Axes, exact: pd.DataFrame, curve: pd.DataFrame) -> None:
    axes.axhline(0, color="black", lw=1)
    for (lattices, letter), (filled, label) in EXACT.items():
        colour, marker, *_ = KINDS[lattices]
        change, error = f"change_{letter}", f"beta_{letter}_error"
        rows = exact[(exact["lattices"] == lattices) & exact[change].notna()]
        points = []
        for beta, at_beta in rows.groupby("beta"):
            values, in_common = at_beta[change].to_numpy(dtype=float), at_beta[error].mean()
            if len(values) > 1:
                points.append((beta, *t_interval(values, in_common)))
            else:
                half_width = NORMAL * in_common
                points.append((beta, values[0], values[0] - half_width, values[0] + half_width))
        drawn = pd.DataFrame(points, columns=["beta", "value", "low", "high"])
        _draw_bars_and_marks(axes, drawn, colour, marker, filled, label)
    colour, (linestyle, label) = LATTICE_COLOURS["decimated"], CURVES[TWICE]
    moved = curve["beta_predicted"] - curve["beta"]
    axes.plot(curve["beta"], moved, color=colour, ls=linestyle, label=label)
    axes.set_title("By exact thermometers: β′ − β")
    axes.set_ylabel("change of β")
    axes.set_xlabel("inverse temperature β before the map")
    _end_axis(axes, room=0.45)
    axes.legend(loc="upper right", fontsize=7.5)
