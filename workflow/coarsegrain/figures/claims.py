"""Published claims beside what was measured, with intervals and verdicts."""

import math
import re
import textwrap
from itertools import chain
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.analysis.claims import AS_IT_STANDS
from coarsegrain.analysis.claims_text import measured, number
from coarsegrain.analysis.criterion import criterion_from_words
from coarsegrain.figures.style import GREY, describe, styled

# verdict → (colour, colour of the words on it); apart for readers with a colour deficiency
VERDICT_COLOURS = {
    "reproduced": ("#0072B2", "white"),
    "not reproduced": ("#D55E00", "white"),
    "depends": ("#F0C34E", "black"),
    "undecided": ("#777777", "white"),
}
HOLDS = "#DCEBDD"
# Where things stand, in shares of the width of a row's own scale.
ID, CLAIM, PUBLISHED, MEASURED, VERDICT, END = -1.31, -1.18, 1.05, 1.44, 2.21, 2.75
WIDTH, ROW, LINE = 10.4, 0.46, 0.12  # inches
UNBROKEN = "\N{NO-BREAK SPACE}"
ASKED_WIDTH, PUBLISHED_WIDTH = 56, 16  # characters


@styled
def claims(table: pd.DataFrame) -> Figure:
    """Draw one row per judged claim, each on a scale of its own, and list what was not tested.

    Args:
        table: ``claims.csv``, in the order in which to draw it.
    """
    judged = table[table["verdict"] != "not tested"].to_dict("records")
    untested = _untested(table)
    deepest = max(map(len, untested))
    heights = [ROW * (len(judged) + 1), LINE * (deepest + 1)]
    figure = Figure(figsize=(WIDTH, sum(heights) + 1.0), layout="constrained")
    rows, rest = figure.subplots(2, 1, height_ratios=heights)
    for axes in (rows, rest):
        axes.set_axis_off()
    rows.set_xlim(ID, END)
    rows.set_ylim(len(judged) - 0.4, -1.1)
    for at, words in (
        (CLAIM, "claim, where, and what is asked"), (0, "published and measured, to scale"),
        (PUBLISHED, "published"), (MEASURED, "measured"), (VERDICT, "verdict"),
    ):  # fmt: skip
        rows.text(at, -0.75, words, color=GREY, fontsize=8, va="center")
    for y, row in enumerate(judged):
        _draw_words(rows, y, row)
        _draw_scale(rows, y, row)
    for column, lines in enumerate(untested):
        rest.text(
            0.51 * column, 1.0, "\n".join(lines), transform=rest.transAxes, va="top",
            fontsize=6.5, color=GREY, linespacing=1.3,
        )  # fmt: skip
    describe(
        figure,
        title=f"Published claims, and what {len(judged)} of {len(table)} came to",
        note="Green: where the claim holds; each row has a scale of its own. Dots: measured, with "
        "95 % intervals over independently trained members or, where marked with σ, of so many\n"
        "standard errors over lattices; with an arrow the interval goes on; without a bar the "
        "number is exact, or all members agree. Diamonds: published.\n"
        "Crosses: the control; claims.csv says what it must not show.",
    )
    return figure


def _untested(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Two columns of lines: what was not tested, and why."""
    rows = table[table["verdict"] == "not tested"].to_dict("records")
    if not rows:
        return [], []
    paragraphs = [
        textwrap.wrap(
            f"{row['id']}  {row['claim']}: {row['reason']}", 92, subsequent_indent=" " * 7
        )
        for row in rows
    ]
    half = (len(paragraphs) + 1) // 2
    left, right = chain(*paragraphs[:half]), chain(*paragraphs[half:])
    return ["Not tested by this run", *left], ["", *right]


def _draw_words(axes: Axes, y: int, row: dict[Any, Any]) -> None:
    axes.text(ID, y - 0.05, row["id"], va="bottom", weight="bold")
    axes.text(CLAIM, y - 0.05, row["claim"], va="bottom")
    axes.text(CLAIM, y + 0.02, _asked(row), va="top", fontsize=7, color=GREY)
    published = textwrap.fill(_minus(number(row["published"], 5)), PUBLISHED_WIDTH)
    axes.text(PUBLISHED, y, published, va="center", fontsize=8)
    axes.text(MEASURED, y, _minus(measured(row)), va="center", fontsize=8)
    face, ink = VERDICT_COLOURS[row["verdict"]]
    would_be = re.search(f"{AS_IT_STANDS}([a-z ]+),", row["reason"])
    if would_be:
        words = f"as it stands: {would_be[1]}"
        axes.text(VERDICT, y + 0.31, words, va="center", fontsize=6, color=GREY)
    axes.text(
        VERDICT, y - 0.1 * bool(would_be), row["verdict"], color=ink, va="center", fontsize=8,
        bbox={"facecolor": face, "edgecolor": "none", "boxstyle": "round,pad=0.3"},
    )  # fmt: skip


def _asked(row: dict[Any, Any]) -> str:
    """Where a claim stands and when it holds; a line never breaks within the bounds."""
    *what, bounds = _minus(row["criterion"]).split(": ")
    words = " ".join([f"{row['where']};  holds if", *what, bounds.replace(" ", UNBROKEN)])
    return textwrap.fill(words, ASKED_WIDTH).replace(UNBROKEN, " ")


def _minus(text: str) -> str:
    """Text with minus signs where numbers have hyphens."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def _draw_scale(axes: Axes, y: int, row: dict[Any, Any]) -> None:
    """The row's scale from 0 to 1: where the claim holds, what was published, what was measured."""
    asked = criterion_from_words(row["criterion"])
    value, low, high = (float(row[name]) for name in ("measured", "low", "high"))
    control, printed = float(row["control_value"]), _float(row["published"])
    edges = [] if asked is None else [asked.low, asked.high]
    here = [each for each in (value, printed, *edges) if math.isfinite(each)]
    if not here:
        return
    span = (max(here) - min(here)) or abs(here[0]) or 1.0
    start, width = min(here) - 0.5 * span, (max(here) - min(here)) + span

    def at(x: float) -> float:
        return min(max((x - start) / width, 0.0), 1.0)

    axes.fill_between([0, 1], y - 0.3, y + 0.3, color="#F4F4F4", lw=0)
    if asked is not None:
        axes.fill_between([at(asked.low), at(asked.high)], y - 0.3, y + 0.3, color=HOLDS, lw=0)
        for edge in edges:
            if math.isfinite(edge):
                axes.plot([at(edge)] * 2, [y - 0.3, y + 0.3], color="#7FA883", lw=0.8)
    if math.isfinite(control) and 0 < (control - start) / width < 1:
        axes.plot(at(control), y, marker="x", ms=4.5, mew=1.2, color=GREY, ls="")
    if math.isfinite(printed):
        axes.plot(at(printed), y, marker="D", ms=6, mfc="white", mec="black", ls="", zorder=3)
    if not math.isfinite(value):
        return
    colour = VERDICT_COLOURS[row["verdict"]][0]
    colour = "#B8860B" if row["verdict"] == "depends" else colour
    axes.plot([at(low), at(high)], [y, y], color=colour, lw=2.2, solid_capstyle="butt", zorder=4)
    axes.plot(at(value), y, marker="o", ms=5.5, color=colour, ls="", zorder=5)
    for end, marker in ((low, "<"), (high, ">")):
        if not start <= end <= start + width:
            axes.plot(at(end), y, marker=marker, ms=4.5, color=colour, ls="", zorder=5)


def _float(published: object) -> float:
    try:
        return float(str(published))
    except ValueError:
        return math.nan
