"""What trained models lose beside linear codes with their best linear decoders."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.analysis.intervals import Interval, t_interval
from coarsegrain.figures.autoencoder.nets import NET_COLOURS
from coarsegrain.figures.style import GREY, describe, in_words, styled

COMPONENTS = "principal components"
BY_RANK = ("one mode", f"{COMPONENTS} of other rank", COMPONENTS)
CODE_COLOUR = "#404040"
CODES = (COMPONENTS, "block means", "random linear", "decimation", "random sites")
# Models with codes of one size stand side by side, to the right of it, each by this factor.
SIDEWAYS = 1.12
# amplitude of models' outputs → (column of codes, marker, is it filled?, words)
AMPLITUDES = {
    "best gain": ("hinge_best_gain", "o", True, "at the best amplitude"),
    "as it comes": ("hinge_least_squares", "o", False, "as trained, or as least squares gives it"),
    "signs": ("signs", "|", True, "twice the share of wrong spins"),
}


@styled
def loss_floors(floors: pd.DataFrame, amplitudes: pd.DataFrame, ranks: Mapping[str, int]) -> Figure:
    """Plot hinges by the size of the code; beside it, all codes and models of one size.

    Args:
        floors: columns ``encoder, rank, member, hinge_least_squares, hinge_best_gain,
            spin_accuracy`` of linear codes with their best linear decoders.
        amplitudes: columns ``model, member, amplitude, hinge`` of models on the same lattices.
        ranks: model → numbers in its code; models that are not here are left out.
    """
    floors = floors.assign(signs=2 * (1 - floors["spin_accuracy"]))
    figure = Figure(figsize=(12, 6.4), layout="constrained")
    by_rank, by_name = figure.subplots(1, 2, width_ratios=[1, 1.15])
    _draw_components(by_rank, floors)
    for k, (model, rank) in enumerate(ranks.items()):
        found = _of_model(amplitudes, model, "best gain")
        _draw_point(by_rank, rank * SIDEWAYS ** (k + 1), found, NET_COLOURS[model], model)
    by_rank.set_xscale("log", base=2)
    at = sorted(floors.loc[floors["encoder"].isin(BY_RANK), "rank"].unique())
    by_rank.set_xticks(at, [str(rank) for rank in at])
    by_rank.set_ylim(bottom=0)
    by_rank.set_xlabel("numbers in the code")
    by_rank.set_ylabel("hinge per output at the best amplitude")
    by_rank.set_title("By the size of the code")
    by_rank.legend(fontsize=7.5)
    rank = int(floors.loc[floors["encoder"] == COMPONENTS, "rank"].iloc[0])
    models = [model for model in ranks if model in set(amplitudes["model"])]
    codes = [code for code in CODES if code in set(floors["encoder"])]
    _draw_names(by_name, floors, amplitudes, codes, models)
    by_name.set_title(f"Codes of {rank} numbers, and models")
    members = in_words(floors["member"].nunique(), "member")
    describe(
        figure,
        title="What nets lose beside linear codes that nobody trained",
        note="Codes: a fixed linear encoder with the linear decoder of the smallest mean squared "
        f"error, in closed form from the training lattices of each of {members}; tested, as the "
        "models, on the common test lattices. Bars: 95 %\nby Student's t over members. Principal "
        "components have the smallest mean squared error of all linear codes of their size; of "
        "the hinge, which is shown, they are no strict floor. Model-2 and Model-3\nhave decimated "
        "lattices as their code. From the open to the filled mark, which may lie on each other: "
        "how much of a hinge is amplitude alone. Left, models of one size stand side by side.",
    )
    return figure


def _interval(values: pd.Series) -> Interval:
    numbers = values.to_numpy(dtype=float)
    if len(numbers) < 2:
        value = float(numbers[0]) if len(numbers) else float("nan")
        return Interval(value, value, value)
    return t_interval(numbers)


def _of_model(amplitudes: pd.DataFrame, model: str, amplitude: str) -> Interval:
    rows = (amplitudes["model"] == model) & (amplitudes["amplitude"] == amplitude)
    return _interval(amplitudes.loc[rows, "hinge"])


def _draw_components(axes: Axes, floors: pd.DataFrame) -> None:
    groups = floors[floors["encoder"].isin(BY_RANK)].groupby("rank")["hinge_best_gain"]
    found = np.array([(rank, *_interval(values)) for rank, values in groups], dtype=float)
    rank, value, low, high = found.reshape(-1, 4).T
    axes.plot(rank, value, color=CODE_COLOUR, marker=".", label=COMPONENTS)
    axes.vlines(rank, low, high, color=CODE_COLOUR, lw=1)
    for code, marker in zip(CODES[1:], ("^", "v", "D", "x")):
        rows = floors[floors["encoder"] == code]
        if len(rows):
            at = float(rows["rank"].iloc[0])
            code_loss = _interval(rows["hinge_best_gain"])
            axes.vlines(at, code_loss.low, code_loss.high, color=CODE_COLOUR, lw=1)
            axes.plot(
                at, code_loss.value, color=CODE_COLOUR, mfc="white", marker=marker, ms=6, ls="",
                label=code,
            )  # fmt: skip


def _draw_point(axes: Axes, at: float, found: Interval, colour: str, label: str) -> None:
    axes.vlines(at, found.low, found.high, color=colour, lw=1.5)
    axes.plot(at, found.value, color=colour, marker="o", ms=6, ls="", label=label)


def _draw_names(
    axes: Axes,
    floors: pd.DataFrame,
    amplitudes: pd.DataFrame,
    codes: list[str],
    models: list[str],
) -> None:
    """A row for each code and each model, with the hinge by every amplitude."""
    for amplitude, (column, marker, filled, words) in AMPLITUDES.items():
        for y, name in enumerate([*codes, *models]):
            if name in models:
                found, colour = _of_model(amplitudes, name, amplitude), NET_COLOURS[name]
            else:
                rows = floors.loc[floors["encoder"] == name, column]
                found, colour = _interval(rows), CODE_COLOUR
            axes.hlines(y, found.low, found.high, color=colour, lw=1.2)
            axes.plot(
                found.value, y, marker=marker, ms=6 if filled else 9, mew=1.5, color=colour,
                mfc=colour if filled else "none", ls="",
            )  # fmt: skip
        axes.plot(
            [], [], marker=marker, color=GREY, mfc=GREY if filled else "none",
            ms=6 if filled else 9, mew=1.5, ls="", label=words,
        )  # fmt: skip
    names = [*codes, *models]
    axes.axhline(len(codes) - 0.5, color=GREY, lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) + 1.2, -0.6)  # room for the legend
    axes.set_xlim(left=0)
    axes.set_xlabel("hinge per output on the test lattices")
    axes.legend(loc="lower left", fontsize=7.5)
