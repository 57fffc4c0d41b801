"""The exact thermometer's figure shows the numbers of its table."""

import pandas as pd

from coarsegrain.figures.autoencoder.exact_thermometer import KINDS, exact_thermometer

TABLE = pd.DataFrame(
    [
        (beta, name, member, beta + shift, 0.01)
        for name, members, shift in (
            ("input", [None], 0.0), ("autoencoder_sign", [0, 1], 0.2), ("decimated", [None], -0.1),
        )
        for member in members
        for beta in (0.1, 0.3, 0.5)
    ],
    columns=["beta", "lattices", "member", "beta_exact", "std_error"],
)  # fmt: skip


def points(axes, name):
    (drawn,) = (each for each in axes.containers if each.get_label() == KINDS[name][2])
    return drawn.lines[0].get_xydata()


def test_readings_and_changes_are_those_of_the_table():
    read, moved = exact_thermometer(TABLE).axes
    for name in KINDS:
        rows = TABLE[TABLE["lattices"] == name]
        assert points(read, name).tolist() == rows[["beta", "beta_exact"]].to_numpy().tolist()
        assert points(moved, name)[:, 1].tolist() == (rows["beta_exact"] - rows["beta"]).tolist()


def test_lattices_that_were_not_measured_are_left_out():
    read, _ = exact_thermometer(TABLE[TABLE["lattices"] != "decimated"]).axes
    assert KINDS["decimated"][2] not in read.get_legend_handles_labels()[1]
