"""The figure of exponents shows the numbers of its table and the verdicts."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.analysis.map_exponents import COLUMNS
from coarsegrain.figures.rbm.exponents import exponents

TABLE = pd.DataFrame(
    [
        ("majority", 32, 1, 3, 0.97, 0.01, 1.88, 0.001, -0.01, 0.001, 1000),
        ("majority", 32, 2, 3, 1.00, 0.01, 1.876, 0.001, 0.0, 0.001, 1000),
        ("majority", 32, 2, 1, 0.95, 0.01, 1.874, 0.001, 0.0, 0.001, 1000),
        ("majority", 16, 1, 3, 0.96, 0.01, 1.87, 0.001, np.nan, np.nan, 1000),
        ("shuffled", 32, 1, 3, -0.26, 0.01, 1.881, 0.001, -0.05, 0.001, 1000),
        ("shuffled", 32, 2, 3, 0.98, 0.01, np.nan, np.nan, 0.5, 0.001, 1000),
    ],
    columns=list(COLUMNS),
)
VERDICTS = pd.DataFrame(
    [("majority", "acts as an RG map", ""), ("shuffled", "does not act as an RG map", "")],
    columns=["map", "verdict", "reason"],
)


@pytest.fixture
def panels():
    return exponents(TABLE, VERDICTS).axes


def drawn(axes, step):
    (bars,) = (each for each in axes.containers if each.get_label() == f"step {step}")
    return bars.lines[0].get_xdata().tolist()


def test_marks_are_the_values_of_most_couplings_at_the_largest_side(panels):
    y_t, y_h, matching = panels
    assert drawn(y_t, 1) == [0.97]
    assert drawn(y_t, 2) == [1.0, 0.98]
    assert drawn(y_h, 1) == [1.88, 1.881]
    assert drawn(matching, 1) == [-0.01, -0.05]


def test_what_lies_beyond_an_axis_or_has_no_value_is_told_in_words(panels):
    y_t, y_h, matching = ([text.get_text() for text in axes.texts] for axes in panels)
    assert y_t == ["-0.26"]
    assert y_h == ["no real λ"]
    assert "0.50" in matching


def test_maps_and_verdicts_stand_in_the_order_of_the_table(panels):
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["majority", "shuffled"]
    words = [text.get_text() for text in panels[2].texts]
    assert words[-2:] == ["✓ RG map", "✗ no RG map"]
