"""One lattice and what each model makes of it (Shukla & Thakur 2021, fig. 10)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coarsegrain.figures.autoencoder.nets import PAPER
from coarsegrain.figures.style import SPIN_MAP, describe, in_words, lattice_axes, styled

TITLES = {
    "Model-1": "Model-1\nautoencoder",
    "Model-2": "Model-2\nhard-coded coarse-grainers,\ntrained decoder",
    "Model-3": "Model-3\neverything transferred",
}


@styled
def reconstructions(
    lattice: NDArray[np.int8], outputs: Mapping[str, Sequence[NDArray[np.floating]]]
) -> Figure:
    """Plot an input lattice beside the outputs of the models' first members, on one scale.

    Hinge and share of recovered spins are those of all members.

    Args:
        lattice: (L, L), ±1.
        outputs: name of the model → (L, L), real, of every member.
    """
    figure = Figure(figsize=(2.5 * (1 + len(outputs)) + 0.6, 4.6), layout="constrained")
    panels = figure.subplots(1, 1 + len(outputs), squeeze=False)[0]
    side = f"{lattice.shape[0]}×{lattice.shape[1]}"
    panels[0].set_title("Input lattice")
    panels[0].set_xlabel(f"{side} spins", fontsize=8)
    panels[0].imshow(lattice, cmap=SPIN_MAP, vmin=-1, vmax=1)
    for axes, (model, members) in zip(panels[1:], outputs.items()):
        image = axes.imshow(members[0], cmap=SPIN_MAP, vmin=-1, vmax=1)
        axes.set_title(TITLES.get(model, model))
        hinges = [hinge_of(lattice, output) for output in members]
        shares = [100 * recovered_share(lattice, output) for output in members]
        axes.set_xlabel(
            f"hinge {_span(hinges, 3)}\n{_span(shares, 1)} % of spins recovered by sign",
            fontsize=8,
        )
    for axes in panels:
        lattice_axes(axes)
    bar = figure.colorbar(image, ax=list(panels), extend="both", shrink=0.62, pad=0.015)
    bar.set_label("spin, or output of the net")
    bar.set_ticks([-1, 0, 1])
    number = in_words(max(map(len, outputs.values())), "member")
    describe(
        figure,
        title="One test lattice, reconstructed by the three models",
        note="Pictures: the first test lattice and the first member of each model, chosen before "
        "any was trained. Outputs are real numbers, drawn from −1 to 1;\nwhat lies outside has the "
        f"colour of the end. Below: smallest to largest of {number} on this lattice. Hinge: mean "
        "over the lattice of\nmax(0, 1 − spin × output). Recovered: output and spin have the same "
        "sign. An illustration, not a measurement.",
        remakes=f"fig. 10 of {PAPER}",
    )
    return figure


def hinge_of(lattice: NDArray[np.int8], output: NDArray[np.floating]) -> float:
    """Mean over the sites of max(0, 1 − t·y), t the spin and y the output."""
    return float(np.maximum(0, 1 - lattice * output).mean())


def recovered_share(lattice: NDArray[np.int8], output: NDArray[np.floating]) -> float:
    """Share of the sites where output and spin have the same sign; an output of 0 has none."""
    return float((lattice * output > 0).mean())


def _span(numbers: Sequence[float], digits: int) -> str:
    """From the smallest to the largest, in words; one number if they are written alike."""
    low, high = (f"{end(numbers):.{digits}f}" for end in (min, max))
    return low if low == high else f"{low} to {high}"
