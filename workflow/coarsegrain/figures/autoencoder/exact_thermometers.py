"""Which way each map moves β, read off by the exact energy and by long distances."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS
from coarsegrain.figures.style import describe, in_words, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

# lattices → (colour, marker, words)
KINDS = {
    "input": (LATTICE_COLOURS["input"], "^", "control: the inputs themselves"),
    "autoencoder_sign": (LATTICE_COLOURS["autoencoder"], "s", "sign() of the autoencoder's output"),
    "decimated": (LATTICE_COLOURS["decimated"], "D", "decimated twice, from twice the size"),
}
# thermometer → what it looks at
THERMOMETERS = {"E": "by the exact energy (E)", "R": "by long distances (R)"}


@styled
def exact_thermometers(table: pd.DataFrame) -> Figure:
    """Plot what both thermometers read against β, and the change of β, side by side.

    Args:
        table: columns ``beta, lattices, member`` (only ``autoencoder_sign`` has members) and, for
            E and R each, ``beta_E, beta_E_error, change_E``; what could not be read is missing.
    """
    figure = Figure(figsize=(11, 6.6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=[1.4, 1])
    ends = [table["beta"].min(), table["beta"].max()]
    for (read, moved), (letter, words) in zip(panels.T, THERMOMETERS.items()):
        read.plot(ends, ends, color="black", lw=0.9, ls="--", label="as before the map")
        moved.axhline(0, color="black", lw=0.9, ls="--")
        for name in (each for each in KINDS if each in set(table["lattices"])):
            rows = table[table["lattices"] == name]
            _draw(read, rows, f"beta_{letter}", letter, name)
            _draw(moved, rows, f"change_{letter}", letter, name)
        for axes in (read, moved):
            axes.axvline(BETA_CRITICAL, color="black", lw=0.7, ls=":", label="exact critical point")
        read.set_title(words)
        moved.set_xlabel("inverse temperature β of the lattices (J = k$_B$ = 1)")
    panels[0, 0].set_ylabel("β by the thermometer")
    panels[0, 0].legend(loc="upper left")
    panels[1, 0].set_ylabel("change of β")
    members = table["member"].nunique()
    describe(
        figure,
        title="Which way each map moves the inverse temperature, by two exact thermometers",
        note="E: the β whose exact mean energy (Kaufman 1949) is the measured one. R: the β at "
        "which certified lattices of this size have the same long waves;\nwhere there is none, "
        f"there is no point. Bars: standard error over lattices. {in_words(members, 'member')} of "
        "the autoencoder. On Ising lattices both agree;\nwhere they differ, what the map makes is "
        "no Ising ensemble. Real-valued outputs are no spins: sign() is taken.",
    )
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, column: str, letter: str, name: str) -> None:
    colour, marker, words = KINDS[name]
    rows = rows[rows[column].notna()]
    axes.errorbar(
        rows["beta"], rows[column], yerr=rows[f"beta_{letter}_error"],
        color=colour, marker=marker, ms=4, ls="", lw=1, alpha=0.8, label=words,
    )  # fmt: skip
