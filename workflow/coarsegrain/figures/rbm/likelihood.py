"""How far machines are from the Ising model, by architecture."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import GREY, describe, in_words, styled

# method → (colour, marker, place in the row, words)
METHODS = {
    "exact": ("#404040", "D", 0.0, "sum over all states"),
    "ais": ("#0072B2", "o", -0.3, "annealed importance sampling"),
    "bar": ("#D55E00", "s", 0.0, "Bennett's acceptance ratio with the Ising model"),
    "data": ("#009E73", "^", 0.3, "data-only identity"),
}
# Members of a machine lie one below the other within this part of a row.
MEMBERS = 0.18
# The axis is linear below, so that a divergence of zero has a place on it.
LINEAR_BELOW = 0.1
TICKS = (0, 0.1, 0.3, 1, 3, 10, 30, 100)


@styled
def likelihood(table: pd.DataFrame) -> Figure:
    """Plot KL(Ising‖machine) by every method, one row per machine, the closest on top.

    Args:
        table: columns ``machine, l1, n_hidden, weights, method, kl_nats, kl_error, believed,
            chosen``, a row for every member and method; rows without a divergence are left out.
    """
    table = table[np.isfinite(table["kl_nats"].astype(float))]
    rows = _rows(table)
    figure = Figure(figsize=(9.6, 2.2 + 0.85 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=0.4)
    for place, (_, group) in enumerate(rows):
        for method in METHODS:
            _draw(axes, place, group[group["method"] == method], method)
    for method in (each for each in METHODS if each in set(table["method"])):
        colour, marker, _, words = METHODS[method]
        axes.plot([], [], color=colour, marker=marker, ls="", label=words)
    axes.plot([], [], color=GREY, marker="o", mfc="white", ls="", label="not to be believed")
    axes.axvline(0, color="black", lw=0.9)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    highest = float((table["kl_nats"] + table["kl_error"]).max()) if len(table) else 1.0
    lowest = float((table["kl_nats"] - table["kl_error"]).min()) if len(table) else 0.0
    axes.set_xlim(min(-0.05, 1.3 * lowest), 1.5 * max(highest, 1.0))
    axes.set_yticks(range(len(rows)), [words for words, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("KL(Ising model‖machine) in nats per lattice")
    axes.legend(loc="best")
    describe(
        figure,
        title="How far Boltzmann machines are from the Ising model they were trained on",
        note="KL = ⟨ln p − ln q⟩ on test lattices, ln p exact (Kaufman 1949); the methods differ "
        "in ln Z of the machine. Bars: standard errors. "
        f"{in_words(len(rows), 'machine')}, linear\nbelow {LINEAR_BELOW:g} nats; members one below "
        "the other. Hollow: the effective sample size is too small for value and error to be "
        "believed.\nHalos: the believed value with the smallest error.",
    )
    return figure


def _rows(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Machines with their words, by the value of the smallest error, chosen ones first."""
    groups = []
    for _, group in table.groupby(["machine", "l1"], sort=False):
        best = group[group["chosen"]] if group["chosen"].any() else group
        first = group.iloc[0]
        words = f"{first['machine']}\n{in_words(int(first['n_hidden']), 'hidden unit')}"
        words += f"\n{in_words(int(first['weights']), 'weight')}"
        if first["l1"]:
            words += f", L1 {first['l1']:g}"
        groups.append((float(best.sort_values("kl_error")["kl_nats"].iloc[0]), words, group))
    return [(words, group) for _, words, group in sorted(groups, key=lambda each: each[0])]


def _draw(axes: Axes, place: int, rows: pd.DataFrame, method: str) -> None:
    colour, marker, shift, _ = METHODS[method]
    heights = place + shift + MEMBERS * (np.linspace(-0.5, 0.5, len(rows)) if len(rows) > 1 else 0)
    rows = rows.assign(height=heights)
    for believed, which in rows.groupby("believed"):
        shade = colour if believed else GREY
        axes.errorbar(
            which["kl_nats"], which["height"], xerr=which["kl_error"], color=shade, marker=marker,
            mfc=colour if believed else "white", ms=5, mew=0.9, ls="", lw=1,
        )  # fmt: skip
    best = rows[rows["chosen"]]
    axes.plot(
        best["kl_nats"], best["height"], marker="o", ms=10, mew=0.8, mfc="none", mec=colour, ls=""
    )
