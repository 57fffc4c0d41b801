"""Trainings of Boltzmann machines, and whether they have converged."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import describe, in_words, styled

#: Labels of the panels.
PSEUDO_LIKELIHOOD = "pseudo-likelihood\n(nats per unit, held-out lattices)"
GAP = "⟨vWh⟩ data − chains − λΣ|w|\n(nats)"
NEIGHBOURS = "neighbours' correlation,\nchains − data"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#404040", "#56B4E9")
# What convergence is judged by: this share of the records, the last ones.
JUDGED = 1 / 8


@styled
def training(history: pd.DataFrame) -> Figure:
    """Plot what shows that machines have converged against the updates of their weights.

    Args:
        history: columns ``machine, member, update, data_vwh, data_vwh_error, chain_vwh,
            chain_vwh_error, penalty, pseudo_likelihood, data_neighbours, chain_neighbours``.
    """
    machines = {str(name): rows for name, rows in history.groupby("machine", sort=False)}
    figure = Figure(figsize=(9.6, 8.2), layout="constrained")
    grid = figure.add_gridspec(3, len(machines))
    likelihood = figure.add_subplot(grid[0, :])
    gaps = [figure.add_subplot(grid[1, at]) for at in range(len(machines))]
    neighbours = figure.add_subplot(grid[2, :], sharex=likelihood)
    for at, (name, rows) in enumerate(machines.items()):
        colour = COLOURS[at % len(COLOURS)]
        for k, (_, member) in enumerate(rows.groupby("member")):
            label = name if k == 0 else None
            likelihood.plot(
                member["update"], member["pseudo_likelihood"], color=colour, lw=1.2, label=label
            )
            difference = member["chain_neighbours"] - member["data_neighbours"]
            neighbours.plot(member["update"], difference, color=colour, lw=1.2)
        _draw_gap(gaps[at], rows, colour)
        gaps[at].set_title(name, color=colour)
    neighbours.axhline(0, color="black", lw=0.8, ls="--")
    likelihood.set_ylabel(PSEUDO_LIKELIHOOD)
    gaps[0].set_ylabel(GAP)
    neighbours.set_ylabel(NEIGHBOURS)
    for axes in figure.axes:
        axes.set_xlabel("updates of the weights")
    likelihood.legend(loc="lower right", ncols=2)
    describe(
        figure,
        title="Trainings of Boltzmann machines, and whether they have converged",
        note=f"{in_words(history['member'].nunique(), 'member')}. Middle: the last half of each "
        "training. A machine has converged where these curves are at the dashed line in the last "
        "eighth (shaded; bands:\nstandard error) and the upper panel is flat. The lowest panel is "
        "what the machine's distribution lacks, not what training lacks: a machine with few\n"
        "weights ends off the line.",
    )
    return figure


def _draw_gap(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """The last half of a machine's gaps; bands wider than the gaps of that half are cut off."""
    last = rows["update"].max()
    rows = rows[rows["update"] >= last / 2]
    gap = rows["data_vwh"] - rows["chain_vwh"] - rows["penalty"]
    error = np.hypot(rows["data_vwh_error"], rows["chain_vwh_error"])
    for _, member in rows.groupby("member"):
        of, by = gap[member.index], error[member.index]
        axes.plot(member["update"], of, color=colour, lw=1.2)
        axes.fill_between(member["update"], of - by, of + by, color=colour, alpha=0.15, lw=0)
    axes.axhline(0, color="black", lw=0.8, ls="--")
    axes.axvspan((1 - JUDGED) * last, last, color="#EEEEEE", lw=0, zorder=0)
    low, high = min(gap.min(), 0.0), max(gap.max(), 0.0)
    margin = 0.1 * (high - low) or 1.0
    axes.set_ylim(low - margin, high + margin)
    axes.set_xlim(last / 2, last)
    axes.locator_params(axis="x", nbins=4)
