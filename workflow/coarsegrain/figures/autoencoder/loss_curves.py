"""Losses of the three models while they train (Shukla & Thakur 2021, figs. 9 and A.1)."""

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
TITLES = {"train": "Training lattices", "validation": "Validation lattices"}


@styled
def loss_curves(history: pd.DataFrame, losses: pd.DataFrame) -> Figure:
    """Plot the hinge of every model against the epoch, training beside validation.

    Args:
        history: columns ``model, member, epoch, split, hinge``: the models that are trained.
        losses: columns ``model, member, split, hinge``: final losses, of which those of Model-3
            and Model-3-HCG are drawn as horizontal lines, since nothing in them is trained.
    """
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    panels = figure.subplot_mosaic(
        [["legend", "legend"], ["train", "validation"]], height_ratios=[0.17, 1]
    )
    for split, title in TITLES.items():
        axes = panels[split]
        for model, linestyle in TRAINED.items():
            rows = history[(history["model"] == model) & (history["split"] == split)]
            draw_member_curves(
                axes,
                rows,
                "hinge",
                colour=NET_COLOURS[model],
                label=NET_LABELS[model],
                linestyle=linestyle,
            )
        for model, linestyle in TRANSFERRED.items():
            rows = losses[(losses["model"] == model) & (losses["split"] == split)]
            _draw_final_loss(axes, model, rows["hinge"], linestyle)
        axes.set_title(title)
    panels["validation"].sharey(panels["train"])
    panels["train"].set_ylabel("hinge per output, without the L1 penalty")
    highest = max(panels["train"].get_ylim()[1], 1.08 * PUBLISHED["validation"]["Model-3"])
    panels["train"].set_ylim(0, highest)
    for split, published in PUBLISHED.items():
        for model, value in published.items():
            mark_published(panels[split], value, NET_COLOURS[model])
    handles, labels = panels["train"].get_legend_handles_labels()
    panels["legend"].legend(handles, labels, loc="upper left", ncols=2, borderaxespad=0)
    panels["legend"].set_axis_off()
    members = pd.concat([history["member"], losses["member"]]).nunique()
    describe(
        figure,
        title="How well the three models reconstruct a lattice while they train",
        note=f"Strong lines: mean of {in_words(members, 'member')}, each trained on its own "
        "lattices; thin lines: single members; bands: smallest to largest member.\n"
        "Nothing in Model-3 and Model-3-HCG is trained further: horizontal lines at their loss. "
        "Triangles: the paper's losses after 4000 epochs.",
        remakes=f"figs. 9 and A.1 of {PAPER}",
    )
    return figure


def _draw_final_loss(axes: Axes, model: str, hinge: pd.Series, linestyle: str) -> None:
    if hinge.notna().any():
        colour = NET_COLOURS[model]
        axes.axhline(hinge.mean(), color=colour, ls=linestyle, label=NET_LABELS[model])
        axes.axhspan(hinge.min(), hinge.max(), color=colour, alpha=0.18, lw=0)


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
