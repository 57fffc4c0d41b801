"""The page's main figure: exponents of every map by Monte Carlo RG."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import describe, styled

# Steps one after the other, from light to dark: the plateau is where they fall together.
STEP_COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#08306b")
STEP_MARKERS = ("o", "s", "D", "^")
VERDICTS = {
    "acts as an RG map": ("#117733", "✓ RG map"),
    "does not act as an RG map": ("#882255", "✗ no RG map"),
    "undecided": ("#777777", "undecided"),
    "not tested": ("#777777", "not tested"),
}
# column → (words, exact value, how far off is drawn: what lies further is an arrow at the edge)
PANELS = {
    "y_T": ("y$_T$ of even couplings", 1.0, 0.32),
    "y_H": ("y$_H$ of odd couplings", 1.875, 0.16),
    "matching": ("matching: difference of ⟨σσ'⟩", 0.0, 0.13),
}
OFFSET = 0.17  # between the steps of a map, in rows
EDGE = 0.02  # share of an axis, at its ends, where marks would be cut


@styled
def exponents(table: pd.DataFrame, verdicts: pd.DataFrame) -> Figure:
    """Plot y_T, y_H and matching, a row for every map and a mark for every step.

    Args:
        table: columns ``map, L, step, couplings, y_T, y_T_error, y_H, y_H_error, matching,
            matching_error, lattices``; of each map its largest L and number of couplings is drawn.
        verdicts: columns ``map, verdict``.
    """
    maps = list(dict.fromkeys(table["map"]))
    drawn = pd.concat([_largest(table[table["map"] == name]) for name in maps])
    words = dict(zip(verdicts["map"], verdicts["verdict"]))
    figure = Figure(figsize=(9.6, 1.9 + 0.42 * len(maps)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True, width_ratios=[1.25, 1, 1])
    for axes, (column, (label, exact, reach)) in zip(panels, PANELS.items()):
        axes.axvline(exact, color="black", lw=0.9, ls="--")
        axes.set_xlim(exact - reach, exact + reach)
        axes.set_xlabel(label)
        for row in range(0, len(maps), 2):
            axes.axhspan(row - 0.5, row + 0.5, color="#f5f5f5", lw=0, zorder=0)
        for step in sorted(drawn["step"].unique()):
            _draw(axes, drawn[drawn["step"] == step], maps, column, step)
    panels[0].set_yticks(range(len(maps)), maps)
    panels[0].set_ylim(len(maps) - 0.5, -0.5)
    for axes in panels:
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    for row, name in enumerate(maps):
        colour, short = VERDICTS[words[name]]
        panels[2].text(
            1.03, row, short, color=colour, va="center", fontsize=8,
            transform=panels[2].get_yaxis_transform(),
        )  # fmt: skip
    most = int(drawn["couplings"].max())
    sides = sorted({int(side) for side in drawn["L"]})
    panels[0].legend(*_steps(panels[0]), loc="lower left", ncols=4, bbox_to_anchor=(0, 1.0))
    describe(
        figure,
        title="One test of RG for every map: exponents at the critical point",
        note=f"Swendsen's Monte Carlo RG on lattices of L = {', '.join(map(str, sides))}, "
        f"{most} even and {min(most, 2)} odd couplings; bars: standard error over independent "
        "lattices. Dashed: exact (y$_T$ = 1, y$_H$ = 15/8).\nMatching: nearest neighbours' "
        "correlation after a step from L less that of equally large lattices started from L/2; 0 "
        "at a map's fixed point.\nA map that acts as RG has a plateau of both exponents, and "
        "matches. Arrows: further off. Crosses: the leading eigenvalue is not real and positive.",
    )
    return figure


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    most = (rows["L"] == rows["L"].max()) & (rows["couplings"] == rows["couplings"].max())
    largest: pd.DataFrame = rows.loc[most]
    return largest


def _draw(axes: Axes, rows: pd.DataFrame, maps: list[str], column: str, step: int) -> None:
    colour = STEP_COLOURS[(step - 1) % len(STEP_COLOURS)]
    marker = STEP_MARKERS[(step - 1) % len(STEP_MARKERS)]
    low, high = axes.get_xlim()
    margin = EDGE * (high - low)
    inside: list[tuple[float, float, float]] = []
    for _, row in rows.iterrows():
        value, error = float(row[column]), float(row[f"{column}_error"])
        y = maps.index(row["map"]) + OFFSET * (step - 2)
        if low + margin < value < high - margin:
            inside.append((value, y, error))
        elif value >= high - margin:
            _at_edge(axes, high, y, ">", f"{value:.2f}", colour)
        elif value <= low + margin:
            _at_edge(axes, low, y, "<", f"{value:.2f}", colour)
        elif column != "matching":  # not a number
            _at_edge(axes, low + margin, y, "x", "no real λ", colour)
    if inside:
        values, places, errors = zip(*inside)
        axes.errorbar(
            values, places, xerr=errors,
            color=colour, marker=marker, ms=4, ls="", lw=1, label=f"step {step}",
        )  # fmt: skip


def _at_edge(axes: Axes, x: float, y: float, mark: str, words: str, colour: str) -> None:
    """A mark at an edge, and beside it what cannot be drawn to scale."""
    right = mark == ">"
    axes.plot(x, y, marker=mark, color=colour, ms=5, ls="", clip_on=False)
    axes.annotate(
        words, (x, y), (-5 if right else 5, 0), textcoords="offset points",
        ha="right" if right else "left", va="center", fontsize=6, color="#404040",
    )  # fmt: skip


def _steps(axes: Axes) -> tuple[list[object], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    return list(handles), list(labels)
