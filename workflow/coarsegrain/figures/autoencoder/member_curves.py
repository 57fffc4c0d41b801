"""Training curves of several independently trained members of one net."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

# Epochs beyond which the horizontal axis is logarithmic: most of the change is at the start.
LONG_TRAINING = 200


def draw_member_curves(
    axes: Axes,
    history: pd.DataFrame,
    column: str,
    *,
    colour: str,
    label: str,
    linestyle: str = "-",
) -> None:
    """Draw each member as a thin line, their range as a band and their mean as a strong line.

    The band reaches from the smallest to the largest member: with two or three members this says
    what is known, and no more. Where members stop at different epochs, the mean is over those
    still training. A history of a single epoch is drawn as a marker with a bar.

    Args:
        axes: where to draw.
        history: one net and split: columns ``member``, ``epoch`` and ``column``.
        column: what to draw against the epoch.
        colour: of line, band and thin lines.
        label: the legend's words for the mean line.
        linestyle: of the mean line.
    """
    curves = history.pivot_table(index="epoch", columns="member", values=column)
    if curves.empty:
        return
    at = curves.index.to_numpy(dtype=float)
    if at[-1] > LONG_TRAINING:
        axes.set_xscale("log")
        axes.set_xlabel("epoch, on a logarithmic scale")
    else:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    low = curves.min(axis=1).to_numpy(dtype=float)
    high = curves.max(axis=1).to_numpy(dtype=float)
    mean = curves.mean(axis=1).to_numpy(dtype=float)
    for member in curves.columns:
        axes.plot(at, curves[member].to_numpy(dtype=float), color=colour, lw=0.5, alpha=0.45)
    axes.fill_between(at, low, high, color=colour, alpha=0.18, lw=0)
    if len(at) == 1:
        axes.vlines(at, low, high, color=colour)
    marker = "o" if len(at) == 1 else ""
    axes.plot(at, mean, color=colour, ls=linestyle, marker=marker, label=label, zorder=3)
