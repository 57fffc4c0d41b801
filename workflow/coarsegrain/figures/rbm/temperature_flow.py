"""Where β goes when machines reconstruct lattices again and again, by every thermometer."""

import numpy as np
import pandas as pd
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coarsegrain.figures.style import GREY, describe, in_words, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

# thermometer → words
THERMOMETERS = {
    "E": "E: exact energy",
    "R": "R: correlation length",
    "net": "the net of study A",
}
RANGE = ("beta_low", "beta_high")  # of the lattices that a machine was trained on
ISO = "Iso, Shiba & Yokoo 2018, arXiv:1801.07172"


@styled
def temperature_flow(table: pd.DataFrame) -> Figure:
    """Plot β against the step, a column for each machine and a row for each thermometer.

    Args:
        table: columns ``machine, member, step, beta_in, beta_E, beta_E_error, beta_R,
            beta_R_error``; if there, ``beta_net, beta_net_error`` and the range of β that the
            machine was trained on, ``beta_low, beta_high``.
    """
    names = list(dict.fromkeys(table["machine"]))
    read = [name for name in THERMOMETERS if f"beta_{name}" in table]
    figure = Figure(
        figsize=(max(2.6 * len(names) + 1.4, 6.5), 2.5 * len(read) + 1.7), layout="constrained"
    )
    panels = figure.subplots(len(read), len(names), sharex=True, sharey=True, squeeze=False)
    starts = sorted(table["beta_in"].unique())
    colours = Normalize(starts[0], max(starts[-1], starts[0] + 1e-9))
    for row, thermometer in zip(panels, read):
        row[0].set_ylabel(f"β by {THERMOMETERS[thermometer]}")
        for axes, name in zip(row, names):
            rows = table[table["machine"] == name]
            _draw_range(axes, rows)
            axes.axhline(BETA_CRITICAL, color="black", lw=0.9, ls=":", label="exact β$_c$")
            for start in starts:
                colour = cm.batlow(0.85 * colours(start))
                _draw_flow(axes, rows[rows["beta_in"] == start], thermometer, start, colour)
    for axes, name in zip(panels[0], names):
        axes.set_title(name)
    for axes in panels[-1]:
        axes.set_xlabel("reconstructions")
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(left=-0.05)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        steps = sorted(table["step"].unique())
        axes.set_xticks(steps, [str(step) for step in steps])
        axes.minorticks_off()
    panels[0, -1].legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    members = table["member"].nunique()
    describe(
        figure,
        title="The flow of temperature under repeated reconstruction, v → h → v",
        note=f"Lines: means of {in_words(members, 'independently trained member')}, from lattices "
        "at the β in the legend; bars: standard error over lattices or, if larger, half the range "
        "of members.\nStep 0 is the control, the thermometers on the lattices themselves. Shaded: "
        "the range of β that the machine was trained on. A gap: no β of the thermometer's range.\n"
        "On an Ising ensemble both thermometers read the same β; where they differ, the machine's "
        "lattices are none.",
        remakes=f"the temperature flows of {ISO}",
    )
    return figure


def _draw_range(axes: Axes, rows: pd.DataFrame) -> None:
    if set(RANGE) <= set(rows):
        low, high = (float(rows[name].iloc[0]) for name in RANGE)
        if np.isfinite([low, high]).all():
            axes.axhspan(low, high, color=GREY, alpha=0.13, lw=0)


def _draw_flow(
    axes: Axes, rows: pd.DataFrame, thermometer: str, start: float, colour: object
) -> None:
    value, error = f"beta_{thermometer}", f"beta_{thermometer}_error"
    by_step = rows.groupby("step")
    spread = (by_step[value].max() - by_step[value].min()) / 2
    bars = np.maximum(by_step[error].mean(), spread)
    means = by_step[value].mean()
    axes.errorbar(
        means.index, means, yerr=bars, color=colour, marker="o", ms=2.5, lw=1.1, capsize=0,
        label=f"β = {start:.4g}",
    )  # fmt: skip
