"""How far machines are from the Ising model, by architecture."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import GREY, describe, in_words, styled

# method → (colour, marker, place in the row, words)
METHODS = {
    "exact": ("#404040", "D", 0.0, "sum over all states"),
    "ais": ("#0072B2", "o", -0.18, "annealed importance sampling"),
    "bar": ("#D55E00", "s", 0.0, "Bennett's acceptance ratio with the Ising model"),
    "data": ("#009E73", "^", 0.18, "data-only identity"),
}
# The axis is linear below, so that a divergence of zero has a place on it.
LINEAR_BELOW = 0.1
TICKS = (0, 0.1, 0.3, 1, 3, 10, 30, 100)


@styled
def likelihood(table: pd.DataFrame) -> Figure:
    """Plot KL(Ising‖machine) by every method, one row per machine, the closest on top.

    Args:
        table: columns ``machine, l1, kind, kernel, n_hidden, weights, method, kl_nats, kl_error,
            believed, chosen``; rows without a divergence are left out.
    """
    table = table[np.isfinite(table["kl_nats"].astype(float))]
    rows = _rows(table)
    figure = Figure(figsize=(9.6, 2.2 + 0.55 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=0.4)
    for place, (_, group) in enumerate(rows):
        for method in METHODS:
            _draw(axes, place, group[group["method"] == method], method)
    for method in (each for each in METHODS if each in set(table["method"])):
        colour, marker, _, words = METHODS[method]
        axes.plot([], [], color=colour, marker=marker, ls="", label=words)
    axes.plot([], [], color=GREY, marker="o", mfc="none", ls="", label="not to be believed")
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
        f"{in_words(len(rows), 'machine')}, linear below {LINEAR_BELOW:g} nats.\nHollow: the "
        "effective sample size is too small for value and error to be believed. Halos: the "
        "believed value with the smallest error.",
    )
    return figure


def _rows(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Machines with their words, by the value of the smallest error, chosen ones first."""
    groups = []
    for _, group in table.groupby(["machine", "l1"], sort=False):
        best = group[group["chosen"]] if group["chosen"].any() else group
        first = group.iloc[0]
        words = (
            f"tied {first['kernel']}×{first['kernel']}" if first["kind"] == "tied" else "free"
        ) + f", {first['n_hidden']} hidden units"
        words += f"\n{in_words(int(first['weights']), 'weight')}"
        if first["l1"]:
            words += f", L1 {first['l1']:g}"
        groups.append((float(best.sort_values("kl_error")["kl_nats"].iloc[0]), words, group))
    return [(words, group) for _, words, group in sorted(groups, key=lambda each: each[0])]


def _draw(axes: Axes, place: int, rows: pd.DataFrame, method: str) -> None:
    colour, marker, shift, _ = METHODS[method]
    for believed, which in rows.groupby("believed"):
        shade = colour if believed else GREY
        axes.errorbar(
            which["kl_nats"], np.full(len(which), place + shift), xerr=which["kl_error"],
            color=shade, marker=marker, mfc=colour if believed else "none", ms=5, ls="", lw=1,
        )  # fmt: skip
    best = rows.loc[rows["chosen"], "kl_nats"]
    axes.plot(
        best, np.full(len(best), place + shift), marker="o", ms=12, mfc="none", mec=colour, ls=""
    )
