"""Locality of hidden units and tiling of the lattice, each beside what chance gives."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import GREY, describe, in_words, styled

# weights → (colour, marker, words)
KINDS = {
    "trained": ("#0072B2", "o", "trained"),
    "shuffled": ("#D55E00", "x", "the same weights, shuffled within each unit"),
}
# column → (heading, whether nothing but chance is to be told by the shuffled weights)
SHARES = {
    "share_2x2": "share of |W| in the best 2×2 window",
    "share_4x4": "share of |W| in the best 4×4 window",
    "participation": "sites per unit, (Σw²)²/Σw⁴",
}
COVERS = {
    "2x2": "sites covered by the 2×2 windows",
    "4x4": "sites covered by the 4×4 windows",
    "silent": "units without weights",
}
SPREAD = 0.24  # of the members of a machine, sideways
BLOCK_SPIN = 4  # sites


@styled
def blocking(table: pd.DataFrame) -> Figure:
    """Plot the table of machines, one column of points for each, one point for each member.

    Args:
        table: columns ``machine, member, weights, units, silent, share_2x2, share_4x4,
            participation, covered_2x2, random_2x2, random_sd_2x2`` and the last three for 4x4;
            ``weights`` is trained or shuffled.
    """
    names = list(dict.fromkeys(table["machine"]))
    figure = Figure(figsize=(max(9.6, 0.62 * len(names) * 3 + 2), 7.4), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True)
    for axes, (column, words) in zip(panels[0], SHARES.items()):
        _draw_points(axes, table, names, column)
        axes.set_title(words)
    _scale_sites(panels[0, 2], table["participation"])
    panels[0, 2].axhline(BLOCK_SPIN, color=GREY, lw=0.9, ls=":", label="block spins")
    trained = table[table["weights"] == "trained"]
    for axes, (column, words) in zip(panels[1], COVERS.items()):
        axes.set_title(words)
        if column == "silent":
            share = trained.assign(silent=trained["silent"] / trained["units"])
            _draw_points(axes, share, names, "silent")
            axes.set_ylim(-0.04, 1.04)
        else:
            _draw_random(axes, trained, names, column)
            _draw_points(axes, table, names, f"covered_{column}")
            axes.set_ylim(0, 1.04)
        axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    for axes in (*panels[0, :2], *panels[1, :2]):
        axes.set_ylim(0, 1.04)
    marks = {
        label: handle
        for axes in (panels[1, 0], panels[0, 2])
        for handle, label in zip(*axes.get_legend_handles_labels())
    }
    figure.legend(marks.values(), marks.keys(), loc="outside upper right", ncols=len(marks))
    members = table["member"].nunique()
    describe(
        figure,
        title="Blocking of hidden units, against chance",
        note=f"Points: {in_words(members, 'independently trained member')} of each machine; shares "
        "and participation are means over the units with weights, and a machine without any has "
        "those of a uniform field.\nShuffling keeps a unit's weights, so the share that their "
        "sizes alone give, and its participation: only T = ∞ machines are a null for that. "
        "Grey: windows put down at random,\nmean ± one standard deviation, exact. Block spins "
        "would have all weights in 2×2 windows, 4 sites per unit (dotted), and windows that cover "
        "all sites once.",
    )
    return figure


def _scale_sites(axes: Axes, participation: pd.Series) -> None:
    """A logarithmic axis with a tick at every power of two."""
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylim(
        min(participation.min(), BLOCK_SPIN) / 1.4, max(participation.max(), BLOCK_SPIN) * 1.4
    )


def _draw_points(axes: Axes, table: pd.DataFrame, names: list[str], column: str) -> None:
    for kind, (colour, marker, words) in KINDS.items():
        rows = table[table["weights"] == kind]
        if column == "participation" and kind == "shuffled":
            continue
        axes.plot(
            _places(rows, names), rows[column],
            marker, color=colour, ms=4.5, mew=1.2, alpha=0.85, label=words,
        )  # fmt: skip


def _draw_random(axes: Axes, trained: pd.DataFrame, names: list[str], size: str) -> None:
    by_name = trained.groupby("machine")[[f"random_{size}", f"random_sd_{size}"]].mean().loc[names]
    axes.errorbar(
        range(len(names)), by_name.iloc[:, 0], yerr=by_name.iloc[:, 1],
        fmt="_", color=GREY, ms=14, lw=6, alpha=0.35, capsize=0, label="at random",
    )  # fmt: skip


def _places(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Members of a machine side by side about its place."""
    members = rows["member"].rank(method="dense").to_numpy() - 1
    wide = max(members.max(initial=0), 1)
    places = rows["machine"].map({name: at for at, name in enumerate(names)}).to_numpy(dtype=float)
    return np.asarray(places + SPREAD * (members / wide - 0.5) * 2)
