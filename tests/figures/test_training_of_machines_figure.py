"""The figure of the machines' trainings shows the numbers of their histories."""

import itertools

import numpy as np
import pandas as pd
import pytest
from test_style_figure import DEFICIENCIES, lab

from coarsegrain.figures.rbm.training import COLOURS, training


def history():
    rows = [
        {
            "machine": machine, "member": member, "update": 10 * k, "data_vwh": 5 - 1 / k,
            "data_vwh_error": 0.1, "chain_vwh": 4.0, "chain_vwh_error": 0.2, "penalty": 0.5,
            "pseudo_likelihood": -0.5 + 0.01 * k * (member + 1), "data_neighbours": 0.7,
            "chain_neighbours": 0.6 + 0.01 * k,
        }
        for machine in ("tied x4", "free") for member in (0, 1) for k in range(1, 9)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_curves_are_those_of_the_histories():
    table = history()
    likelihood, _, _, neighbours = training(table).axes
    for k, (_, rows) in enumerate(table.groupby(["machine", "member"], sort=False)):
        for axes, values in (
            (likelihood, rows["pseudo_likelihood"]),
            (neighbours, rows["chain_neighbours"] - rows["data_neighbours"]),
        ):
            drawn = axes.lines[k]
            np.testing.assert_array_equal(drawn.get_xdata(), rows["update"])
            np.testing.assert_allclose(drawn.get_ydata(), values)


def test_every_machine_has_a_panel_with_the_gaps_of_its_last_half():
    table = history()
    _, *gaps, _ = training(table).axes
    for axes, (_, machine) in zip(gaps, table.groupby("machine", sort=False), strict=True):
        for k, (_, rows) in enumerate(machine.groupby("member")):
            last = rows[rows["update"] >= 40]
            drawn = axes.lines[k]
            np.testing.assert_array_equal(drawn.get_xdata(), last["update"])
            np.testing.assert_allclose(
                drawn.get_ydata(), last["data_vwh"] - last["chain_vwh"] - last["penalty"]
            )
        low, high = axes.get_ylim()
        assert low < 0 < high  # the line that they have to reach is always in sight


def test_wide_bands_of_early_records_do_not_stretch_the_axis_of_gaps():
    noisy = history().assign(chain_vwh_error=100.0)
    assert training(noisy).axes[1].get_ylim() == training(history()).axes[1].get_ylim()


def test_every_machine_is_named_once():
    figure = training(history())
    assert figure.axes[0].get_legend_handles_labels()[1] == ["tied x4", "free"]
    assert [axes.get_title(loc="left") for axes in figure.axes[1:3]] == ["tied x4", "free"]


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_machines_have_colours_that_can_be_told_apart(deficiency):
    for one, other in itertools.combinations(COLOURS, 2):
        assert np.linalg.norm(lab(one, deficiency) - lab(other, deficiency)) > 15, (one, other)
