"""Which way each map moves β, read off by the exact energy."""

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
    "decimated": (LATTICE_COLOURS["decimated"], "D", "decimated twice, at half the size"),
}


@styled
def exact_thermometer(table: pd.DataFrame) -> Figure:
    """Plot the exact thermometer's reading against β, and the difference of the two.

    Args:
        table: columns ``beta, lattices, member, beta_exact, std_error``; only ``autoencoder_sign``
            has members.
    """
    figure = Figure(figsize=(9.6, 6.6), layout="constrained")
    read, moved = figure.subplots(2, 1, sharex=True, height_ratios=[1.4, 1])
    ends = [table["beta"].min(), table["beta"].max()]
    read.plot(ends, ends, color="black", lw=0.9, ls="--", label="as before the map")
    moved.axhline(0, color="black", lw=0.9, ls="--")
    for name in (each for each in KINDS if each in set(table["lattices"])):
        rows = table[table["lattices"] == name]
        _draw(read, rows, rows["beta_exact"], name)
        _draw(moved, rows, rows["beta_exact"] - rows["beta"], name)
    for axes in (read, moved):
        axes.axvline(BETA_CRITICAL, color="black", lw=0.7, ls=":", label="exact critical point")
    read.set_ylabel("β by the exact thermometer")
    read.legend(loc="upper left")
    moved.set_ylabel("change of β")
    moved.set_xlabel("inverse temperature β of the lattices (J = k$_B$ = 1)")
    members = table["member"].nunique()
    describe(
        figure,
        title="Which way each map moves the inverse temperature, by the exact energy",
        note="Each reading is the β whose exact mean energy (Kaufman 1949) at that lattice size is "
        f"the measured one; bars: standard error over lattices. {in_words(members, 'member')} of "
        "the autoencoder.\nReal-valued outputs are no spins: sign() is taken. What a map makes is "
        "no Ising ensemble, and a thermometer that looks at other distances reads another β.",
    )
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, values: pd.Series, name: str) -> None:
    colour, marker, words = KINDS[name]
    axes.errorbar(
        rows["beta"], values, yerr=rows["std_error"],
        color=colour, marker=marker, ms=4, ls="", lw=1, alpha=0.8, label=words,
    )  # fmt: skip
