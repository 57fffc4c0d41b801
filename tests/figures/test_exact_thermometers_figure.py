"""The exact thermometers' figure shows the numbers of its table."""

import numpy as np
import pandas as pd

from coarsegrain.figures.autoencoder.exact_thermometers import KINDS, exact_thermometers

TABLE = pd.DataFrame(
    [
        (beta, name, member, beta + shift, 0.01, beta + 2 * shift, 0.02)
        for name, members, shift in (
            ("input", [None], 0.0), ("autoencoder_sign", [0, 1], 0.2), ("decimated", [None], -0.1),
        )
        for member in members
        for beta in (0.1, 0.3, 0.5)
    ],
    columns=["beta", "lattices", "member", "beta_E", "beta_E_error", "beta_R", "beta_R_error"],
).assign(
    change_E=lambda table: table["beta_E"] - table["beta"],
    change_R=lambda table: table["beta_R"] - table["beta"],
)  # fmt: skip


def points(axes, name):
    (drawn,) = (each for each in axes.containers if each.get_label() == KINDS[name][2])
    return drawn.lines[0].get_xydata()


def test_readings_and_changes_are_those_of_the_table():
    by_energy, by_distance, moved_by_energy, moved_by_distance = exact_thermometers(TABLE).axes
    for name in KINDS:
        rows = TABLE[TABLE["lattices"] == name]
        for axes, column in (
            (by_energy, "beta_E"), (by_distance, "beta_R"),
            (moved_by_energy, "change_E"), (moved_by_distance, "change_R"),
        ):  # fmt: skip
            assert points(axes, name).tolist() == rows[["beta", column]].to_numpy().tolist()


def test_what_was_not_measured_or_cannot_be_read_is_left_out():
    read, *_ = exact_thermometers(TABLE[TABLE["lattices"] != "decimated"]).axes
    assert KINDS["decimated"][2] not in read.get_legend_handles_labels()[1]
    missing = (TABLE["lattices"] == "decimated") & (TABLE["beta"] == 0.1)
    table = TABLE.copy()
    table.loc[missing, ["beta_R", "change_R"]] = np.nan
    _, by_distance, _, moved = exact_thermometers(table).axes
    for axes in (by_distance, moved):
        assert points(axes, "decimated")[:, 0].tolist() == [0.3, 0.5]
