"""The figure of samplers shows the numbers of its table."""

import math

import numpy as np
import pandas as pd

from coarsegrain.figures.neuralrg.samplers import REFERENCE, samplers
from coarsegrain.figures.style import save

METHODS = ("latent HMC", "physical HMC", "reweighting", REFERENCE)
TABLE = pd.DataFrame(
    [
        (8, 2.27, "sublattices", member, method, 0.64 + 0.01 * k + 0.001 * member, 0.002,
         10.0 ** (4 - k) + member, math.nan if method == "reweighting" else 1.0)
        for member in range(3)
        for k, method in enumerate(METHODS)
    ],
    columns=["L", "T", "flow", "member", "method", "m2", "m2_error",
             "evaluations_per_independent", "evaluations_error"],
)  # fmt: skip


def drawn(axes):
    """x of all points, by the method whose height is nearest."""
    found = {method: [] for method in METHODS}
    for container in axes.containers:
        for x, y in container.lines[0].get_xydata():
            found[METHODS[round(y)]].append(x)
    return found


def test_points_are_those_of_the_table_on_the_lines_of_their_methods():
    for axes, column in zip(
        samplers(TABLE).axes, ("m2", "evaluations_per_independent"), strict=True
    ):
        for method, values in drawn(axes).items():
            rows = TABLE[TABLE["method"] == method]
            assert sorted(values) == sorted(rows[column])


def test_methods_are_named_in_the_order_of_the_table():
    squared, _ = samplers(TABLE).axes
    assert [each.get_text() for each in squared.get_yticklabels()] == list(METHODS)


def test_the_line_is_at_independent_lattices():
    squared, _ = samplers(TABLE).axes
    line = next(each for each in squared.lines if len(set(each.get_xdata())) == 1)
    assert line.get_xdata()[0] == TABLE[TABLE["method"] == REFERENCE]["m2"].iloc[0]


def test_samplers_whose_chains_are_too_short_have_no_point():
    column = "evaluations_per_independent"
    some = TABLE.assign(**{column: TABLE[column].where(TABLE["method"] != "latent HMC")})
    _, cost = samplers(some).axes
    assert drawn(cost)["latent HMC"] == []
    assert all(np.isfinite(each).all() for each in drawn(cost).values())


def test_the_figure_is_written(tmp_path):
    save(samplers(TABLE), tmp_path / "a.pdf", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 20_000
