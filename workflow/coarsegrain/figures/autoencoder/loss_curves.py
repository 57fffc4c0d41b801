"""Losses of the three models while they train (Shukla & Thakur 2021, figs. 9 and A.1)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.member_curves import draw_member_curves
from coarsegrain.figures.autoencoder.nets import NET_COLOURS, NET_LABELS, PAPER
from coarsegrain.figures.style import GREY, describe, in_words, styled

TRAINED = {"Model-1": "-", "Model-2": "-", "Model-2-CG": "--"}
TRANSFERRED = {"Model-3": "-", "Model-3-HCG": "--"}
# Losses after 4000 epochs, caption of fig. A.1.
PUBLISHED = {
    "train": {"Model-1": 0.275, "Model-2": 0.338, "Model-3": 0.600},
    "validation": {"Model-1": 0.281, "Model-2": 0.341, "Model-3": 0.601},
}
# what is drawn, on which lattices → the panel's title
COLUMNS = {
    ("hinge", "train"): "Hinge, training lattices",
    ("hinge", "validation"): "Hinge, validation lattices",
    ("objective", "validation"): "Objective (hinge + L1 penalty), validation",
}
# code → (line style, the legend's words)
FLOORS = {
    "decimation": (":", "no net: decimated lattices with their best linear decoder"),
    "principal components": ("-.", "no net: as many principal components"),
}
# The lower row shows the last so many of the epochs, and of the loss so much more than is drawn.
LAST, MARGIN = 0.5, 0.12


@styled
def loss_curves(history: pd.DataFrame, losses: pd.DataFrame, floors: pd.DataFrame) -> Figure:
    """Plot hinge and objective of every model against the epoch; below, the end of the training.

    Args:
        history: columns ``model, member, epoch, split, hinge, objective``: the models that are
            trained.
        losses: columns ``model, member, split, hinge, objective``: final losses, of which those of
            Model-3 and Model-3-HCG are drawn as horizontal lines, since nothing in them is trained.
        floors: columns ``encoder, member, hinge_best_gain``: what linear codes lose.
    """
    figure = Figure(figsize=(12, 8), layout="constrained")
    panels = figure.subplot_mosaic(
        [["legend"] * 3, ["0", "1", "2"], ["end 0", "end 1", "end 2"]],
        height_ratios=[0.22, 1, 0.9],
    )
    last = float(history["epoch"].max())
    for c, ((column, split), title) in enumerate(COLUMNS.items()):
        whole, end = panels[f"{c}"], panels[f"end {c}"]
        for axes in (whole, end):
            _draw_models(axes, history, losses, column, split)
        if column == "hinge":
            _draw_floors(whole, floors)
            _draw_floors(end, floors)
        whole.set_title(title)
        end.set_title("The end of it", fontsize=9)
        _show_the_end(end, last)
        for model, value in PUBLISHED[split].items():
            mark_published(whole, value, NET_COLOURS[model])
    whole_panels = [panels[f"{c}"] for c in range(len(COLUMNS))]
    highest = max(whole_panels[0].get_ylim()[1], 1.08 * PUBLISHED["validation"]["Model-3"])
    for axes in whole_panels:
        axes.set_ylim(0, highest)
    for name in ("0", "end 0"):
        panels[name].set_ylabel("hinge per output, without the L1 penalty")
    for name in ("2", "end 2"):
        panels[name].set_ylabel("objective that is minimized")
    handles, labels = panels["0"].get_legend_handles_labels()
    panels["legend"].legend(handles, labels, loc="upper left", ncols=2, borderaxespad=0)
    panels["legend"].set_axis_off()
    members = pd.concat([history["member"], losses["member"]]).nunique()
    describe(
        figure,
        title="How well the three models reconstruct a lattice while they train",
        note=f"Strong lines: mean of {in_words(members, 'member')}, each trained on its own "
        "lattices; thin lines: single members; bands: smallest to largest member. Nothing in "
        "Model-3 and Model-3-HCG is trained further, so that they have\nno penalty: horizontal "
        "lines at their loss. No net: linear codes of equal rank with the linear decoders of least "
        "squares, at the best amplitude, on test lattices. Triangles: the paper's losses after "
        "4000 epochs;\nit does not say whether the penalty is in them. Lower row: the last half of "
        "the epochs on a scale of its own.",
        remakes=f"figs. 9 and A.1 of {PAPER}",
    )
    return figure


def _draw_models(
    axes: Axes, history: pd.DataFrame, losses: pd.DataFrame, column: str, split: str
) -> None:
    for model, linestyle in TRAINED.items():
        rows = history[(history["model"] == model) & (history["split"] == split)]
        draw_member_curves(
            axes,
            rows,
            column,
            colour=NET_COLOURS[model],
            label=NET_LABELS[model],
            linestyle=linestyle,
        )
    for model, linestyle in TRANSFERRED.items():
        rows = losses[(losses["model"] == model) & (losses["split"] == split)]
        _draw_final_loss(axes, model, rows[column], linestyle)


def _draw_final_loss(axes: Axes, model: str, loss: pd.Series, linestyle: str) -> None:
    if loss.notna().any():
        colour = NET_COLOURS[model]
        axes.axhline(loss.mean(), color=colour, ls=linestyle, label=NET_LABELS[model])
        axes.axhspan(loss.min(), loss.max(), color=colour, alpha=0.18, lw=0)


def _draw_floors(axes: Axes, floors: pd.DataFrame) -> None:
    for encoder, (linestyle, label) in FLOORS.items():
        loss = floors.loc[floors["encoder"] == encoder, "hinge_best_gain"]
        if loss.notna().any():
            axes.axhline(loss.mean(), color="black", lw=1, ls=linestyle, label=label)


def _show_the_end(axes: Axes, last: float) -> None:
    """The last part of the epochs, and all losses that are drawn there."""
    first = (1 - LAST) * last if last > 1 else 0
    axes.set_xlim(first, last + 0.02 * (last - first))
    shown = []
    for line in axes.get_lines():
        x, y = (np.asarray(each, dtype=float) for each in line.get_data())
        horizontal = len(x) == 2
        shown.append(y[horizontal | (x >= first)])
    found = np.concatenate(shown)
    low, high = float(np.nanmin(found)), float(np.nanmax(found))
    margin = MARGIN * ((high - low) or 0.1)
    axes.set_ylim(low - margin, high + margin)


def mark_published(
    axes: Axes, value: float, colour: str, words: str = "", shift: float = 0.0
) -> None:
    """Mark a paper's value at the right edge.

    Args:
        axes: where to mark.
        value: as the paper prints it, with three decimals.
        colour: of the net.
        words: said after the number.
        shift: points by which the words are moved up, where two values are close.
    """
    right = axes.get_yaxis_transform()
    axes.plot(1.015, value, marker="<", color=colour, ls="", clip_on=False, transform=right)
    axes.annotate(
        f"paper {value:.3f} {words}".strip(),
        xy=(1.015, value),
        xycoords=right,
        xytext=(5, shift),
        textcoords="offset points",
        va="center",
        fontsize=7,
        color=GREY,
    )
