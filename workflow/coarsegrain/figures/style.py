"""What all figures share: the style, the colours, the words around a plot, and saving.

A figure is an object: no function here or in its neighbours touches pyplot's global state.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from cmcrameri import cm
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE_FILE = Path(__file__).with_name("coarsegrain.mplstyle")

# One colour per net, the same in every figure; nets that share an axis stay apart for readers
# with any of the common colour deficiencies (tests/figures/test_style_figure.py). Blue, orange,
# vermilion and green are Okabe & Ito's (2008), the others Tol's "muted" set (2021).
NET_COLOURS = {
    "Model-1": "#0072B2",
    "Model-2": "#E69F00",
    "Model-2-CG": "#D55E00",
    "Model-3": "#009E73",
    "Model-3-HCG": "#882255",
    "AE-WR": "#332288",
    "CG": "#CC6677",
    "thermometer": "#117733",
}
NET_LABELS = {
    "Model-1": "Model-1: autoencoder, trained end to end",
    "Model-2": "Model-2: hard-coded coarse-grainers, trained decoder",
    "Model-2-CG": "Model-2-CG: trained coarse-grainers, trained decoder",
    "Model-3": "Model-3: everything transferred, nothing trained further",
    "Model-3-HCG": "Model-3-HCG: hard-coded coarse-grainers, transferred decoder",
}
# Lattices take the colour of the net that made them: the autoencoder of figs. 13-16 is AE-WR,
# decimation is what the CG nets learn.
LATTICE_COLOURS = {
    "input": "#404040",
    "autoencoder": NET_COLOURS["AE-WR"],
    "decimated": NET_COLOURS["CG"],
}
# What a paper printed, and explanations.
GREY = "#777777"

# Two calm tones for spins (dark: -1, light: +1) and what lies between them for real values.
SPIN_MAP = cm.devon
# Weights of either sign: blue below zero, white at zero, red above.
SIGNED_MAP = cm.vik

P = ParamSpec("P")

PAPER = "Shukla & Thakur 2021, arXiv:2108.06157"


@contextmanager
def applied() -> Iterator[None]:
    """Matplotlib's defaults with coarsegrain's style on top, whatever the user's own settings."""
    with style.context(["default", STYLE_FILE]):
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a figure's function so that all it draws is drawn in the style."""

    @wraps(draw)
    def draw_in_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with applied():
            return draw(*args, **kwargs)

    return draw_in_style


def describe(figure: Figure, *, title: str, note: str, remakes: str | None = None) -> None:
    """Put a title above a figure and, in small grey text below it, how to read it.

    Args:
        figure: with ``layout="constrained"``, which makes room for both.
        title: what is shown, in words.
        note: what lines, bands and marks are; may have several lines.
        remakes: the paper's figures it remakes, e.g. ``"figs. 9 and A.1"``; None if it is our own.
    """
    figure.suptitle(title, x=0.01, ha="left")
    figure.supxlabel(
        f"{note}\nRemakes {remakes} of {PAPER}." if remakes else note,
        x=0.01,
        ha="left",
        fontsize=7.5,
        color=GREY,
        linespacing=1.35,
    )


def in_words(number: int, noun: str) -> str:
    """``in_words(1, "member")`` is "1 member", ``in_words(3, "member")`` "3 members"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lattice_axes(axes: Axes) -> None:
    """Frame an image of a lattice: no ticks, no grid, a thin border all round."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#999999")
        spine.set_linewidth(0.6)


def save(figure: Figure, pdf: Path, png: Path) -> None:
    """Write a figure as PDF and PNG, with the same bytes for the same figure every time.

    No dates go into the files, and the layout is worked out once and frozen, since each drawing
    of a constrained layout may move it by a fraction of a pixel.
    """
    with applied():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        figure.savefig(pdf, format="pdf", metadata={"CreationDate": None})
        figure.savefig(png, format="png")
