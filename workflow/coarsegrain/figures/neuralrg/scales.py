"""Renormalized energies of what flows pass on, scale by scale."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.neuralrg.gap import looks
from coarsegrain.figures.style import GREY, describe, in_words, styled

#: Below, the axes of differences are linear, in nats.
LINEAR = 0.1
#: In units of a scale's place on the axis: between two flows.
_APART = 0.16


@styled
def scales(table: pd.DataFrame) -> Figure:
    """Plot the energy per site, its difference over exact and fresh samples, and what it tells.

    Args:
        table: columns ``L, T, flow, member, scale, sites, energy_p_nats, energy_q_nats,
            difference_nats, difference_error, free_nats, beyond_free_nats, beyond_free_error,
            beyond_two_signs_nats, beyond_two_signs_error, samples``.
    """
    look = looks(list(dict.fromkeys(table["flow"])))
    places = {scale: k for k, scale in enumerate(sorted(table["scale"].unique()))}
    figure = Figure(figsize=(11.4, 4.8), layout="constrained")
    per_site, difference, beyond = figure.subplots(1, 3)
    for k, (flow, rows) in enumerate(table.groupby("flow", sort=False)):
        colour, marker = look[str(flow)]
        at = rows["scale"].map(places) + _APART * (k - (len(look) - 1) / 2)
        shared: dict[str, Any] = {"color": colour, "marker": marker, "ls": "", "ms": 4.5, "lw": 1}
        per_site.plot(at, rows["energy_p_nats"] / rows["sites"], **shared, label=str(flow))
        per_site.plot(at, rows["energy_q_nats"] / rows["sites"], **shared, mfc="white")
        per_site.plot(at, rows["free_nats"] / rows["sites"], color=GREY, marker="_", ls="", ms=9)
        _draw(difference, at, rows, "difference", shared)
        _draw(beyond, at, rows, "beyond_free", {**shared, "mfc": "white"})
        _draw(beyond, at, rows, "beyond_two_signs", shared)
    per_site.plot([], [], color=GREY, marker="_", ls="", ms=9, label="free field, exact samples")
    per_site.set_title("energy per site (nats)", loc="left")
    difference.set_title("exact less fresh samples (nats)", loc="left")
    beyond.set_title("told beyond a free field (nats)", loc="left")
    for axes, names in (
        (difference, ["difference"]),
        (beyond, ["beyond_free", "beyond_two_signs"]),
    ):
        axes.axhline(0, color=GREY, lw=0.8)
        ends = pd.concat(
            table[f"{name}_nats"] + sign * table[f"{name}_error"]
            for name in names
            for sign in (1, -1)
        )
        axes.set_ylim(min(-LINEAR, 1.5 * ends.min()), max(LINEAR, 1.5 * ends.max()))
        axes.set_yscale("symlog", linthresh=LINEAR, linscale=0.6)
    for axes in (per_site, difference, beyond):
        axes.set_xticks(range(len(places)), [str(each) for each in places])
        axes.set_xlabel("scale: sites from neighbour to neighbour")
    figure.legend(*per_site.get_legend_handles_labels(), loc="outside right upper")
    first = table.iloc[0]
    describe(
        figure,
        title=f"Renormalized energy by scale, L = {first['L']}, T = {first['T']:.4g}",
        note=f"{in_words(table['member'].nunique(), 'member')} of each flow, a mark each; "
        f"{in_words(int(first['samples']), 'exact sample')} passed on by the flow, and as many of "
        "its own; scale 1: the fields themselves. Left: filled over exact\nsamples, hollow over "
        "the flow's own. Middle: 0 if the flow were exact; per lattice, bars: standard errors. "
        "Right: ⟨ln q − ln g⟩ of exact samples, g a free field with their\ncovariance (hollow), or "
        "one whose mean has two signs (filled): at or below 0 a free field tells as much of them. "
        f"Linear between ±{LINEAR}, logarithmic beyond.",
    )
    return figure


def _draw(axes: Axes, at: pd.Series, rows: pd.DataFrame, what: str, shared: dict[str, Any]) -> None:
    axes.errorbar(at, rows[f"{what}_nats"], yerr=rows[f"{what}_error"], **shared)
