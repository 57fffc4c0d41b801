"""Trainings of Boltzmann machines, and whether they have converged."""

import numpy as np
import pandas as pd
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import describe, in_words, styled

#: Labels of the panels.
PSEUDO_LIKELIHOOD = "pseudo-likelihood\n(nats per unit, held-out lattices)"
GAP = "⟨vWh⟩ data − chains − λΣ|w|\n(nats)"
NEIGHBOURS = "neighbours' correlation,\nchains − data"


@styled
def training(history: pd.DataFrame) -> Figure:
    """Plot what shows that machines have converged against the updates of their weights.

    Args:
        history: columns ``machine, member, update, data_vwh, data_vwh_error, chain_vwh,
            chain_vwh_error, penalty, pseudo_likelihood, data_neighbours, chain_neighbours``.
    """
    figure = Figure(figsize=(9.6, 7.4), layout="constrained")
    likelihood, gap, neighbours = figure.subplots(3, 1, sharex=True)
    names = list(dict.fromkeys(history["machine"]))
    colours = cm.batlow(np.linspace(0, 0.85, len(names)))
    for name, colour in zip(names, colours):
        for k, (_, rows) in enumerate(history[history["machine"] == name].groupby("member")):
            label = name if k == 0 else None
            _draw(likelihood, rows, rows["pseudo_likelihood"], colour, label)
            difference = rows["data_vwh"] - rows["chain_vwh"] - rows["penalty"]
            _draw(gap, rows, difference, colour)
            error = np.hypot(rows["data_vwh_error"], rows["chain_vwh_error"])
            gap.fill_between(
                rows["update"],
                difference - error,
                difference + error,
                color=colour,
                alpha=0.2,
                lw=0,
            )
            _draw(neighbours, rows, rows["chain_neighbours"] - rows["data_neighbours"], colour)
    for axes in (gap, neighbours):
        axes.axhline(0, color="black", lw=0.8, ls="--")
    gap.set_yscale("symlog", linthresh=1.0)
    likelihood.set_ylabel(PSEUDO_LIKELIHOOD)
    gap.set_ylabel(GAP)
    neighbours.set_ylabel(NEIGHBOURS)
    neighbours.set_xlabel("updates of the weights")
    likelihood.legend(loc="lower right", ncols=2)
    describe(
        figure,
        title="Trainings of Boltzmann machines, and whether they have converged",
        note=f"{in_words(history['member'].nunique(), 'member')}. A machine has converged where "
        "the middle panel is at the dashed line (bands: standard error) and the upper one is flat."
        "\nThe lowest panel is what the machine's distribution lacks, not what training lacks: a "
        "machine with few weights ends off the line.",
    )
    return figure


def _draw(
    axes: Axes, rows: pd.DataFrame, values: pd.Series, colour: object, label: str | None = None
) -> None:
    axes.plot(rows["update"], values, color=colour, lw=1.2, label=label)
