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

# What a paper printed, and explanations.
GREY = "#777777"

# Two calm tones for spins (dark: -1, light: +1) and what lies between them for real values.
SPIN_MAP = cm.devon
# Weights of either sign: blue below zero, white at zero, red above.
SIGNED_MAP = cm.vik

P = ParamSpec("P")


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
        remakes: what it remakes, e.g. ``"fig. 9 of Author 2021, arXiv:…"``; None if it is our own.
    """
    figure.suptitle(title, x=0.01, ha="left")
    figure.supxlabel(
        f"{note}\nRemakes {remakes}." if remakes else note,
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
