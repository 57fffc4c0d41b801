"""The figure of the machines' trainings shows the numbers of their histories."""

import numpy as np
import pandas as pd

from coarsegrain.figures.rbm.training import training


def history():
    rows = [
        {
            "machine": machine, "member": member, "update": 10 * k, "data_vwh": 5 - 1 / k,
            "data_vwh_error": 0.1, "chain_vwh": 4.0, "chain_vwh_error": 0.2, "penalty": 0.5,
            "pseudo_likelihood": -0.5 + 0.01 * k * (member + 1), "data_neighbours": 0.7,
            "chain_neighbours": 0.6 + 0.01 * k,
        }
        for machine in ("tied 4x4", "free 64") for member in (0, 1) for k in range(1, 9)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_curves_are_those_of_the_histories():
    table = history()
    likelihood, gap, neighbours = training(table).axes
    for k, (_, rows) in enumerate(table.groupby(["machine", "member"], sort=False)):
        for axes, values in (
            (likelihood, rows["pseudo_likelihood"]),
            (gap, rows["data_vwh"] - rows["chain_vwh"] - rows["penalty"]),
            (neighbours, rows["chain_neighbours"] - rows["data_neighbours"]),
        ):
            drawn = axes.lines[k]
            np.testing.assert_array_equal(drawn.get_xdata(), rows["update"])
            np.testing.assert_allclose(drawn.get_ydata(), values)


def test_every_machine_is_named_once():
    likelihood = training(history()).axes[0]
    assert likelihood.get_legend_handles_labels()[1] == ["tied 4x4", "free 64"]
