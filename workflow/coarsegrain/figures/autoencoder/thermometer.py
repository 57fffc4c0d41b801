"""The net that reads β off a lattice, tested (Shukla & Thakur 2021, fig. 15)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.member_curves import draw_member_curves
from coarsegrain.figures.autoencoder.nets import NET_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, in_words, styled

COLOUR = NET_COLOURS["thermometer"]
# Mean squared error at which the paper stopped training, section III.D.
PUBLISHED_MSE = 0.0035
LINESTYLES = {"train": ("training lattices", "-"), "validation": ("validation lattices", "--")}


@styled
def thermometer(table: pd.DataFrame, training: pd.DataFrame) -> Figure:
    """Plot predicted against actual β, their difference, and the error while training.

    Args:
        table: columns ``beta, beta_predicted, std_error, member``: means over the test lattices
            at each β.
        training: columns ``member, epoch, split, loss``.
    """
    figure = Figure(figsize=(10, 6), layout="constrained")
    panels = figure.subplot_mosaic(
        [["predicted", "training"], ["residual", "training"]],
        width_ratios=[1.7, 1],
        height_ratios=[2, 1],
    )
    predicted, residual = panels["predicted"], panels["residual"]
    residual.sharex(predicted)
    residuals = table.assign(residual=table["beta_predicted"] - table["beta"])
    _draw_members(predicted, table, "beta_predicted")
    _draw_members(residual, residuals, "residual")
    ends = [table["beta"].min(), table["beta"].max()]
    predicted.plot(ends, ends, color="black", lw=0.9, ls="--", label="predicted = actual")
    residual.axhline(0, color="black", lw=0.9, ls="--")
    predicted.set_ylabel("predicted β")
    predicted.set_title("Predicted against actual inverse temperature")
    predicted.tick_params(labelbottom=False)
    predicted.legend(loc="upper left", reverse=True)
    residual.set_ylabel("predicted − actual")
    residual.set_xlabel("actual inverse temperature β (J = k$_B$ = 1)")
    _draw_training(panels["training"], training)
    describe(
        figure,
        title="The net that measures β, on lattices it has not seen",
        note=f"{in_words(table['member'].nunique(), 'independently trained member')}. Points: mean "
        "prediction of one member over the test lattices at one β, with its standard error; "
        "strong line: mean of the members.\nA regression pulls toward the middle of its training "
        "range: the difference then falls from left to right. Training: mean of the members still "
        "at it, and their range.",
        remakes=f"fig. 15 of {PAPER}",
    )
    return figure


def _draw_members(axes: Axes, table: pd.DataFrame, column: str) -> None:
    label = "one member"
    for _, rows in table.sort_values("beta").groupby("member"):
        axes.errorbar(
            rows["beta"],
            rows[column],
            yerr=rows["std_error"],
            color=COLOUR,
            ls="",
            marker="o",
            ms=3,
            alpha=0.45,
            label=label,
        )
        label = "_one more member"
    mean = table.groupby("beta")[column].mean()
    axes.plot(mean.index, mean, color=COLOUR, label="mean of the members")


def _draw_training(axes: Axes, training: pd.DataFrame) -> None:
    for split, (label, linestyle) in LINESTYLES.items():
        draw_member_curves(
            axes,
            training[training["split"] == split],
            "loss",
            colour=COLOUR,
            label=label,
            linestyle=linestyle,
        )
    axes.axhline(PUBLISHED_MSE, color=GREY, lw=0.9, ls=":", label="paper's stop, 0.0035")
    axes.set_yscale("log")
    axes.set_title("Training")
    axes.set_ylabel("mean squared error of β")
    axes.legend()
