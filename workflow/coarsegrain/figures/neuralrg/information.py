"""How independent latent variables are, scale by scale."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.neuralrg.gap import looks
from coarsegrain.figures.style import GREY, describe, in_words, styled

#: What was measured at the same pairs of sites, in the order of the legend: words, colour, marker.
OTHERS = {
    "physical": ("fields", "black", "D"),
    "whitened": ("fields, whitened by a linear map", GREY, "v"),
}
# Every flow's rows of fields are of the same samples: those of the first flow are drawn.
#: Below, the axis is linear: about a standard error, in nats.
LINEAR = 0.003
#: In units of a scale's place on the axis: between two flows.
_APART = 0.12


@styled
def information(table: pd.DataFrame, totals: pd.DataFrame) -> Figure:
    """Plot the mutual information of nearest pairs by scale, and what all variables share.

    Args:
        table: columns ``L, T, flow, member, scale, variables, distance, information_nats,
            information_error, null_nats, null_error, samples``.
        totals: columns ``flow, member, variables, total_nats, total_error``; of latent variables
            an upper limit.
    """
    table = table.assign(diagonal=table["distance"] > 1.2 * table["scale"])
    look = looks(list(dict.fromkeys(table["flow"])))
    scales = sorted(table["scale"].unique())
    figure = Figure(figsize=(11.4, 4.8), layout="constrained")
    *panels, of_all = figure.subplots(1, 3, width_ratios=(2, 2, 1))
    panels[1].sharey(panels[0])
    _draw_totals(of_all, totals, look)
    for axes, (diagonal, rows) in zip(panels, table.groupby("diagonal")):
        _draw_null(axes, rows, scales)
        place = -_APART * (len(look) + 1) / 2
        for name, (words, colour, marker) in OTHERS.items():
            of_fields = rows[(rows["variables"] == name) & (rows["flow"] == table["flow"].iloc[0])]
            _draw(axes, of_fields, scales, place, colour, marker, words)
            place += _APART
        latent = rows[rows["variables"] == "latent"]
        for flow, of_flow in latent.groupby("flow", sort=False):
            colour, marker = look[str(flow)]
            _draw(axes, of_flow, scales, place, colour, marker, f"latent, {flow}")
            place += _APART
        axes.axhline(0, color=GREY, lw=0.8)
        axes.set_xticks(range(len(scales)), [str(each) for each in scales])
        axes.set_title("on a diagonal" if diagonal else "in a row or a column", loc="left")
        axes.set_xlabel("scale: sites from neighbour to neighbour")
    panels[0].set_yscale("symlog", linthresh=LINEAR, linscale=0.6)
    panels[0].set_ylim(top=1.5 * max(LINEAR, float(table["information_nats"].max())))
    panels[0].set_ylabel("mutual information (nats per pair)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    first = table.iloc[0]
    describe(
        figure,
        title=f"How independent latent variables are, L = {first['L']}, T = {first['T']:.4g}",
        note=f"{in_words(table['member'].nunique(), 'member')} of each flow, a mark each, with "
        f"standard errors; {in_words(int(first['samples']), 'exact sample')} mapped back by the "
        "flow. Left: mean over pairs of sites of the same scale, their nearest (Kraskov, Stögbauer "
        "& Grassberger 2004),\nnot clipped at 0; grey band: the same after shuffling, two standard "
        f"deviations of all of it; linear between ±{LINEAR}, logarithmic beyond. Right: total "
        "correlation, Σ h(x_i) − h(x); of latent variables at most\nKL(p‖q), which is shown "
        "(arrows down).",
    )
    return figure


def _draw(
    axes: Axes, rows: pd.DataFrame, scales: list[int], place: float,
    colour: str, marker: str, words: str,
) -> None:  # fmt: skip
    axes.errorbar(
        [scales.index(each) + place for each in rows["scale"]], rows["information_nats"],
        yerr=rows["information_error"], color=colour, marker=marker, ls="", ms=4.5, lw=1,
        label=words,
    )  # fmt: skip


def _draw_totals(
    axes: Axes, totals: pd.DataFrame, look: dict[str, tuple[str, str]]
) -> None:  # fmt: skip
    """What all variables of a lattice share; fields of the first flow, as on the left."""
    first = totals[totals["flow"] == totals["flow"].iloc[0]]
    kinds = [(first[first["variables"] == name], *OTHERS[name][1:], False) for name in OTHERS]
    latent = totals[totals["variables"] == "latent"]
    kinds += [(latent[latent["flow"] == flow], *look[flow], True) for flow in look]
    for place, (rows, colour, marker, limit) in enumerate(kinds):
        nats = rows["total_nats"].clip(lower=1e-3)
        axes.errorbar(
            [place] * len(rows), nats, yerr=0.25 * nats if limit else rows["total_error"],
            uplims=limit, color=colour, marker=marker, ls="", ms=4.5, lw=1,
        )  # fmt: skip
    axes.set(xticks=[], yscale="log", xlim=(-0.7, len(kinds) - 0.3))
    axes.set_title("all together", loc="left")
    axes.set_ylabel("total correlation (nats per lattice)")


def _draw_null(axes: Axes, rows: pd.DataFrame, scales: list[int]) -> None:
    """Where shuffled variables are, of all flows and members: mean ± two standard deviations."""
    for k, scale in enumerate(scales):
        values = rows.loc[rows["scale"] == scale, "null_nats"].to_numpy()
        mean, spread = values.mean(), 2 * np.std(values)
        axes.fill_between(
            [k - 0.5, k + 0.5], mean - spread, mean + spread, color="#DDDDDD", lw=0, zorder=0,
            label=None if k else "shuffled",
        )  # fmt: skip
