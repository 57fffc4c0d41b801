"""What flows leave out: ln p/q under p and under q."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from coarsegrain.figures.neuralrg.gap import looks
from coarsegrain.figures.style import GREY, describe, in_words, styled

#: Where a flow counts as leaving out: e^5 times too rare.
LEFT_OUT = 5.0


@styled
def coverage(table: pd.DataFrame) -> Figure:
    """Plot the distributions of ln p/q over exact samples and over those of the flow.

    Args:
        table: columns ``L, T, flow, member, low, high, of_p, of_q``: shares of the samples in bins.
    """
    look = looks(list(dict.fromkeys(table["flow"])))
    figure = Figure(figsize=(9.6, 2.1 + 1.7 * len(look)), layout="constrained")
    panels = figure.subplots(len(look), 1, sharex=True, squeeze=False)[:, 0]
    there = table[(table["of_p"] > 0) | (table["of_q"] > 0)]
    for axes, (flow, rows) in zip(panels, table.groupby("flow", sort=False)):
        for member, one in rows.groupby("member"):
            width = float(one["high"].iloc[0] - one["low"].iloc[0])
            middle = (one["low"] + one["high"]) / 2
            first = member == rows["member"].iloc[0]
            axes.plot(
                middle, _shown(one["of_p"] / width), color="black", lw=1.1, ds="steps-mid",
                label="under p: exact samples" if first else None,
            )  # fmt: skip
            axes.plot(
                middle, _shown(one["of_q"] / width), color=look[str(flow)][0], lw=1.1,
                ds="steps-mid", label="under q: the flow's own" if first else None,
            )  # fmt: skip
        axes.axvline(0, color=GREY, lw=0.8)
        axes.axvspan(LEFT_OUT, table["high"].max(), color="#EEEEEE", lw=0, zorder=0)
        axes.set_yscale("log")
        axes.set_ylabel("density (1/nat)")
        axes.set_title(str(flow), color=look[str(flow)][0], loc="left")
        axes.legend(loc="upper right")
    panels[-1].set_xlabel("ln p/q (nats)")
    panels[-1].set_xlim(min(-6.0, float(there["low"].min())), max(8.0, float(there["high"].max())))
    setting = table.iloc[0]
    describe(
        figure,
        title=f"What flows leave out, L = {setting['L']}, T = {setting['T']:.4g}",
        note=f"{in_words(table['member'].nunique(), 'member')} of each flow. q = p would be one "
        "line at 0. Black, right of 5 (shaded): lattices that the model has and the flow makes "
        "e⁵ = 148 times too rarely,\nwhich samples of the flow do not show. At every point the "
        "black density is e^(ln p/q) times the coloured one, but for noise; outer bins hold what "
        "lies beyond.",
    )
    return figure


def _shown(density: pd.Series) -> pd.Series:
    """Without empty bins, which a logarithmic axis has no place for."""
    return density.where(density > 0, np.nan)
