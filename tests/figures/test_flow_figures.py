"""The figures of study C show the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.neuralrg.coverage import coverage
from coarsegrain.figures.neuralrg.gap import COLOURS, gap
from coarsegrain.figures.neuralrg.gap_by_setting import gap_by_setting
from coarsegrain.figures.style import save

FLOWS = ("sublattices", "patches")
GAPS = pd.DataFrame(
    [
        (8, 2.269, flow, member, value + 0.01 * member, 0.002, times * value, 0.01, times > 10)
        for flow, value, times in (("sublattices", 0.12, 1.3), ("patches", 1.5, 20.0))
        for member in range(3)
    ],
    columns=["L", "T", "flow", "member", "gap_nats", "gap_error", "forward_kl_nats",
             "forward_kl_error", "collapsed"],
)  # fmt: skip
TRAINING = pd.DataFrame(
    [
        (flow, member, step, 10 / step + 0.1 * member)
        for flow in FLOWS for member in range(3) for step in (1, 2, 4)
    ],
    columns=["flow", "member", "step", "gap_nats"],
)  # fmt: skip
GAUSSIAN = pd.DataFrame({"symmetric": [False, True], "gap_nats": [2.7, 2.0]})
COVERAGE = pd.DataFrame(
    [
        (8, 2.269, flow, member, low, low + 1, of_p, of_q)
        for flow in FLOWS for member in range(3)
        for low, of_p, of_q in ((-1.0, 0.2, 0.7), (0.0, 0.5, 0.3), (6.0, 0.3, 0.0))
    ],
    columns=["L", "T", "flow", "member", "low", "high", "of_p", "of_q"],
)  # fmt: skip

SETTINGS = [
    # variant, neuralrg.beta, neuralrg.ingredients.modes, patches.depth, factor of the first flow
    ("base", 0.5, True, "auto", 1.0),
    ("t_beta=0.4", 0.4, True, "auto", 2.0),
    ("t_beta=0.25", 0.25, True, "auto", 3.0),
    ("without-modes", 0.5, False, "auto", 4.0),
    ("shallow", 0.5, True, "1", 1.0),
]


def rows_of(variant, beta, modes, depth, factor):
    """The rows of a variant, in which a depth changes the flow by patches and others the first."""
    gaps = GAPS.copy()
    patches = gaps["flow"] == "patches"
    gaps.loc[~patches, "gap_nats"] *= factor
    gaps.loc[patches, "gap_nats"] += depth != "auto"
    for name, value in (("depth", depth), ("ingredients.modes", modes), ("beta", beta)):
        key = f"neuralrg.patches.{name}" if name == "depth" else f"neuralrg.{name}"
        gaps.insert(0, key, value)
    gaps.insert(0, "variant", variant)
    return gaps


VARIANTS = pd.concat([rows_of(*each) for each in SETTINGS], ignore_index=True)


def test_gaps_by_setting_have_a_panel_for_a_sweep_and_one_for_single_changes():
    sweep, single = gap_by_setting(VARIANTS).axes
    assert (sweep.get_title(loc="left"), single.get_title(loc="left")) == (
        "T", "one change at a time",
    )  # fmt: skip
    lines = [line.get_xydata().tolist() for line in sweep.lines if len(line.get_xdata()) == 3]
    # gap and forward KL of the flow that the temperature touches, by T; not of the other one
    means = [0.13, 2 * 0.13, 3 * 0.13]
    gaps, forward = (np.array(each) for each in lines)
    np.testing.assert_allclose(gaps[:, 0], [2, 2.5, 4])
    np.testing.assert_allclose(gaps[:, 1], means)
    np.testing.assert_allclose(forward[:, 1], [0.156] * 3)
    labels = [each.get_text() for each in single.get_xticklabels()]
    assert labels == ["as it is", "modes: False", "scales of the flow by patches: 1"]


def test_gaps_by_step_and_both_divergences_are_those_of_the_tables():
    by_step, both = gap(GAPS, TRAINING, GAUSSIAN).axes
    curves = [line.get_xydata() for line in by_step.lines if len(line.get_xdata()) == 3]
    expected = [rows[["step", "gap_nats"]] for _, rows in TRAINING.groupby(["flow", "member"])]
    assert sorted(map(np.ndarray.tolist, curves)) == sorted(
        rows.to_numpy().tolist() for rows in expected
    )
    points = np.concatenate([each.lines[0].get_xydata() for each in both.containers])
    assert sorted(points.tolist()) == sorted(
        GAPS[["gap_nats", "forward_kl_nats"]].to_numpy().tolist()
    )


def test_the_gaussian_to_beat_is_the_symmetric_one():
    by_step, _ = gap(GAPS, TRAINING, GAUSSIAN).axes
    (line,) = [each for each in by_step.lines if "Gaussian" in str(each.get_label())]
    assert set(line.get_ydata()) == {2.0}


def test_collapsed_flows_are_hollow():
    _, both = gap(GAPS, TRAINING, GAUSSIAN).axes
    faces = {each.lines[0].get_color(): each.lines[0].get_markerfacecolor()
             for each in both.containers}  # fmt: skip
    assert faces == {COLOURS[0]: COLOURS[0], COLOURS[1]: "white"}


def test_densities_are_shares_by_width_and_empty_bins_are_left_out():
    panels = coverage(COVERAGE).axes
    assert [axes.get_title(loc="left") for axes in panels] == list(FLOWS)
    black, coloured = (panels[0].lines[k].get_ydata() for k in (0, 1))
    np.testing.assert_allclose(black, [0.2, 0.5, 0.3])
    np.testing.assert_allclose(coloured, [0.7, 0.3, np.nan])


@pytest.mark.parametrize(
    "figure",
    [
        lambda: gap(GAPS, TRAINING, GAUSSIAN),
        lambda: coverage(COVERAGE),
        lambda: gap_by_setting(VARIANTS),
    ],
    ids=["gap", "coverage", "gap_by_setting"],
)
def test_the_same_table_gives_the_same_bytes(figure, tmp_path):
    files = [tmp_path / f"{k}.png" for k in (0, 1)]
    for file in files:
        save(figure(), file.with_suffix(".pdf"), file)
    assert files[0].read_bytes() == files[1].read_bytes()
