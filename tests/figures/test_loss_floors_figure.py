"""The figure of linear codes and models shows the numbers of its tables."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.autoencoder.loss_floors import CODES, SIDEWAYS, loss_floors
from coarsegrain.figures.autoencoder.nets import NET_COLOURS

RANKS = {"Model-1": 16, "Model-2": 64}
ALONE = "principal components of other rank"


def floors() -> pd.DataFrame:
    codes = [("one mode", 1, 0.47), (ALONE, 16, 0.3), *((code, 64, 0.2) for code in CODES)]
    rows = [
        (encoder, rank, member, level + 0.1, level + 0.01 * member, 1 - level / 4)
        for encoder, rank, level in codes
        for member in range(3)
    ]
    columns = ["encoder", "rank", "member", "hinge_least_squares", "hinge_best_gain",
               "spin_accuracy"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def amplitudes() -> pd.DataFrame:
    levels = {"as it comes": 0.3, "clipped": 0.28, "best gain": 0.25, "signs": 0.2}
    rows = [
        (model, member, amplitude, level + 0.02 * member)
        for model in (*RANKS, "another")
        for member in range(3)
        for amplitude, level in levels.items()
    ]
    return pd.DataFrame(rows, columns=["model", "member", "amplitude", "hinge"])


def drawn(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


def test_components_are_a_line_by_rank_and_models_stand_at_theirs():
    axes = loss_floors(floors(), amplitudes(), RANKS).axes[0]
    line = drawn(axes, "principal components")
    np.testing.assert_allclose(line.get_xdata(), [1, 16, 64])
    np.testing.assert_allclose(line.get_ydata(), [0.48, 0.31, 0.21])
    for k, (model, rank) in enumerate(RANKS.items()):
        point = drawn(axes, model)
        assert point.get_xdata()[0] == pytest.approx(rank * SIDEWAYS ** (k + 1))
        assert point.get_ydata()[0] == pytest.approx(0.27)
        assert point.get_color() == NET_COLOURS[model]


def test_every_code_and_model_has_its_hinge_by_every_amplitude():
    axes = loss_floors(floors(), amplitudes(), RANKS).axes[1]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == [*CODES, *RANKS]
    found = {
        (names[int(line.get_ydata()[0])], line.get_marker(), line.get_markerfacecolor() == "none"):
        float(line.get_xdata()[0])
        for line in axes.get_lines() if line.get_marker() != "None" and len(line.get_xdata())
    }  # fmt: skip
    for name in names:
        expected = (0.27, 0.32, 0.22) if name in RANKS else (0.21, 0.3, 0.1)
        shown = [found[name, *kind] for kind in (("o", False), ("o", True), ("|", False))]
        np.testing.assert_allclose(shown, expected)


def test_large_lattices_without_random_codes_and_single_members_are_drawn():
    table = floors()
    table = table[~table["encoder"].str.startswith("random") & (table["member"] == 0)]
    figure = loss_floors(table, amplitudes(), RANKS)
    names = [tick.get_text() for tick in figure.axes[1].get_yticklabels()]
    assert "random linear" not in names
    figure.draw_without_rendering()
