"""Couplings of machines layer by layer, against those of their lattices and of block spins."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.style import describe, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

# source → (colour, marker, words)
SOURCES = {
    "majority": ("#404040", "D", "block spins by the majority rule, fitted: K′ of the RG"),
    "data": ("#009E73", "^", "lattices like those the machine was trained on, fitted"),
    "samples": ("#D55E00", "s", "samples of the machine, fitted"),
    "exact": ("#0072B2", "o", "the machine's marginal, exact"),
}
OPERATORS = {
    "nn": "nearest neighbours",
    "nnn": "next-nearest neighbours (diagonal)",
    "third": "third neighbours (distance 2)",
    "plaquette": "plaquette of four",
}


@styled
def couplings(table: pd.DataFrame) -> Figure:
    """Plot the couplings by source, one panel per operator, machines side by side by layer.

    Args:
        table: columns ``machine, layer, source, operator, coupling, std_error, spread``.
    """
    machines = {(int(layer), str(name)) for layer, name in zip(table["layer"], table["machine"])}
    places = {key: place for place, key in enumerate(sorted(machines))}
    layers = [layer for layer, _ in places]
    figure = Figure(figsize=(9.6, 7.4), layout="constrained")
    panels = figure.subplot_mosaic(
        [["key", "key"], ["nn", "nnn"], ["third", "plaquette"]], height_ratios=[0.16, 1, 1]
    )
    key = panels.pop("key")
    sources = [each for each in SOURCES if each in set(table["source"])]
    for operator, axes in panels.items():
        of_operator = table[table["operator"] == operator]
        axes.axhline(0, color="black", lw=0.7)
        if operator == "nn":
            axes.axhline(BETA_CRITICAL, color="black", lw=0.7, ls=":")
        for number, source in enumerate(sources):
            rows = of_operator[of_operator["source"] == source]
            shift = 0.16 * (number - (len(sources) - 1) / 2)
            where = [places[key] + shift for key in zip(rows["layer"], rows["machine"])]
            _draw(axes, rows, source, where)
        for place in range(1, len(layers)):
            if layers[place] != layers[place - 1]:
                axes.axvline(place - 0.5, color="#cccccc", lw=0.8)
        axes.set_title(OPERATORS[operator])
        axes.set_xticks(
            range(len(places)), [_words(layer, name, places) for layer, name in places],
            rotation=35, ha="right", rotation_mode="anchor",
        )  # fmt: skip
        axes.set_xlim(-0.5, len(places) - 0.5)
        axes.set_ylabel("coupling K")
    key.axis("off")
    key.legend(*panels["nn"].get_legend_handles_labels(), loc="center left", ncols=2)
    describe(
        figure,
        title="Couplings of Boltzmann machines, layer by layer",
        note="Bars: standard errors of the fits (pseudo-likelihood, jackknife over lattices); of "
        "the exact couplings the spread over bonds.\nExact: ⟨v_i v_j ln p*(v)⟩ over all states, "
        "and likewise for four spins. Dotted: the critical coupling 0.4407 of the Ising lattices.",
    )
    return figure


def _words(layer: int, name: str, places: Collection[tuple[int, str]]) -> str:
    """A machine's name, with its layer if there are several."""
    return f"{name}, layer {layer}" if sum(each == name for _, each in places) > 1 else name


def _draw(axes: Axes, rows: pd.DataFrame, source: str, places: list[float]) -> None:
    colour, marker, words = SOURCES[source]
    bars = np.where(rows["source"] == "exact", rows["spread"], rows["std_error"])
    axes.errorbar(
        places, rows["coupling"], yerr=bars,
        color=colour, marker=marker, ms=5, ls="", lw=1, label=words,
    )  # fmt: skip
