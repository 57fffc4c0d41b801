"""The net that reads β off a lattice, tested (Shukla & Thakur 2021, fig. 15)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.member_curves import draw_member_curves
from coarsegrain.figures.autoencoder.nets import LATTICE_COLOURS, NET_COLOURS, PAPER
from coarsegrain.figures.style import GREY, describe, in_words, styled

COLOUR, EXACT_COLOUR = NET_COLOURS["thermometer"], LATTICE_COLOURS["input"]
# Mean squared error at which the paper stopped training, section III.D.
PUBLISHED_MSE = 0.0035
LINESTYLES = {"train": ("training lattices", "-"), "validation": ("validation lattices", "--")}
BY_ENERGY = "exact energy, no net (thermometer E)"


@styled
def thermometer(table: pd.DataFrame, training: pd.DataFrame, exact: pd.DataFrame) -> Figure:
    """Plot predicted against actual β, their difference, and the error in training and in the test.

    Args:
        table: columns ``beta, beta_predicted, std_error, member``, means over the test lattices at
            each β, and ``squared_error, squared_error_by_energy, squared_error_of_constant`` of
            single lattices.
        training: columns ``member, epoch, split, loss``.
        exact: what thermometer E reads: columns ``beta, lattices, beta_E, beta_E_error``, of which
            the lattices ``input`` are those of the test.
    """
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    panels = figure.subplot_mosaic(
        [["predicted", "errors"], ["residual", "training"]],
        width_ratios=[1.35, 1],
        height_ratios=[1.25, 1],
    )
    predicted, residual = panels["predicted"], panels["residual"]
    residual.sharex(predicted)
    residuals = table.assign(residual=table["beta_predicted"] - table["beta"])
    by_energy = exact[exact["lattices"] == "input"]
    by_energy = by_energy.assign(residual=by_energy["beta_E"] - by_energy["beta"])
    for axes, members, of_net, of_energy in (
        (predicted, table, "beta_predicted", "beta_E"),
        (residual, residuals, "residual", "residual"),
    ):
        _draw_members(axes, members, of_net)
        axes.errorbar(
            by_energy["beta"], by_energy[of_energy], yerr=by_energy["beta_E_error"],
            color=EXACT_COLOUR, ls="", marker="x", ms=4, lw=1, label=BY_ENERGY,
        )  # fmt: skip
    ends = [table["beta"].min(), table["beta"].max()]
    predicted.plot(ends, ends, color="black", lw=0.9, ls="--", label="predicted = actual")
    residual.axhline(0, color="black", lw=0.9, ls="--")
    predicted.set_ylabel("predicted β")
    predicted.set_title("Predicted against actual inverse temperature, test lattices")
    predicted.tick_params(labelbottom=False)
    predicted.legend(loc="upper left", reverse=True)
    residual.set_title("Their difference")
    residual.set_ylabel("predicted − actual")
    residual.set_xlabel("actual inverse temperature β (J = k$_B$ = 1)")
    _draw_errors(panels["errors"], table)
    _draw_training(panels["training"], training)
    describe(
        figure,
        title="The net that measures β, on lattices it has not seen",
        note=f"{in_words(table['member'].nunique(), 'independently trained member')}. Points: mean "
        "prediction of one member over the test lattices at one β, with its standard error; "
        "strong line: mean of the members.\nThermometer E is the β at which the exact mean energy "
        "is that of the same lattices. A regression pulls toward the middle of its training range: "
        "the difference then falls from left\nto right. Right, of single lattices: mean over all "
        "β of the test in the legend, members in brackets; in training, the mean of the members "
        "still at it, and their range.",
        remakes=f"fig. 15 of {PAPER}",
    )
    return figure


def _draw_members(axes: Axes, table: pd.DataFrame, column: str) -> None:
    label = "net: one member"
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
    axes.plot(mean.index, mean, color=COLOUR, label="net: mean of the members")


def _draw_errors(axes: Axes, table: pd.DataFrame) -> None:
    """Mean squared errors of single lattices at every β, and over all β in the legend."""
    of_members = table.groupby("member")["squared_error"].mean()
    for _, rows in table.sort_values("beta").groupby("member"):
        axes.plot(rows["beta"], rows["squared_error"], color=COLOUR, lw=0.6, alpha=0.6)
    single = table[table["member"] == table["member"].min()]
    for column, words, colour, style in (
        ("squared_error_of_constant", "best constant", GREY, "-."),
        ("squared_error", "net", COLOUR, "-"),
        ("squared_error_by_energy", "energy of the lattice (E)", EXACT_COLOUR, "--"),
    ):
        rows = table if column == "squared_error" else single
        mean = rows.groupby("beta")[column].mean()
        label = f"{words}: {mean.mean():.2g}"
        if column == "squared_error":
            label += f" ({of_members.min():.2g} to {of_members.max():.2g})"
        axes.plot(mean.index, mean, color=colour, ls=style, label=label)
    axes.axhline(PUBLISHED_MSE, color=GREY, lw=0.9, ls=":")
    axes.set_yscale("log")
    axes.set_title("Test: mean squared error of single lattices")
    axes.set_xlabel("actual β")
    axes.set_ylabel("mean squared error of β")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.4)
    axes.legend(loc="upper center", fontsize=7.5)


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
