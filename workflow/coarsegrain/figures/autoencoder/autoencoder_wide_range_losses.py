"""Losses of the wide-range autoencoder while it trains (Shukla & Thakur 2021, fig. A.2)."""

import pandas as pd
from matplotlib.figure import Figure

from coarsegrain.figures.autoencoder.loss_curves import mark_published
from coarsegrain.figures.autoencoder.member_curves import draw_member_curves
from coarsegrain.figures.autoencoder.nets import NET_COLOURS, PAPER
from coarsegrain.figures.style import describe, in_words, styled

# Losses after 4000 epochs, caption of fig. A.2.
PUBLISHED = {"train": 0.347, "validation": 0.357}
LABELS = {"train": "training lattices", "validation": "validation lattices"}
LINESTYLES = {"train": "-", "validation": "--"}


@styled
def autoencoder_wide_range_losses(history: pd.DataFrame) -> Figure:
    """Plot the hinge of AE-WR against the epoch.

    Args:
        history: columns ``member, epoch, split, hinge``.
    """
    colour = NET_COLOURS["AE-WR"]
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    axes = figure.subplots()
    for split, label in LABELS.items():
        draw_member_curves(
            axes,
            history[history["split"] == split],
            "hinge",
            colour=colour,
            label=label,
            linestyle=LINESTYLES[split],
        )
    axes.set_ylabel("hinge per output, without the L1 penalty")
    axes.set_ylim(bottom=0)
    axes.legend()
    mark_published(axes, PUBLISHED["train"], colour, "training", shift=-5)
    mark_published(axes, PUBLISHED["validation"], colour, "validation", shift=5)
    describe(
        figure,
        title="The autoencoder trained on a wide range of β (AE-WR)",
        note=f"Strong lines: mean of {in_words(history['member'].nunique(), 'member')}; thin "
        "lines: single members; bands: smallest to largest member.\n"
        "Triangles: the paper's losses after 4000 epochs.",
        remakes=f"fig. A.2 of {PAPER}",
    )
    return figure
