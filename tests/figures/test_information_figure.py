"""The figure of mutual information shows the numbers of its table."""

import math

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.neuralrg.gap import looks
from coarsegrain.figures.neuralrg.information import OTHERS, information
from coarsegrain.figures.style import save

FLOWS = ["sublattices", "patches"]
#: Nats, by variables; whitened ones are below 0 by noise.
NATS = {"latent": 0.01, "whitened": -0.001, "physical": 0.5}
TABLE = pd.DataFrame(
    [
        {
            "L": 8, "T": 2.269, "flow": flow, "member": member, "scale": scale,
            "variables": name, "distance": scale * length,
            "information_nats": nats * scale + 0.001 * member + 0.0001 * length
            + (0.002 * FLOWS.index(flow) if name == "latent" else 0),
            "information_error": 0.001, "null_nats": 0.002 * (-1) ** member, "null_error": 0.001,
            "samples": 5000,
        }
        for flow in FLOWS
        for member in (0, 1)
        for name, nats in NATS.items()
        for scale in (1, 2, 4)
        for length in (1, math.sqrt(2))
    ]
)  # fmt: skip

TOTALS = pd.DataFrame(
    [
        {
            "flow": flow, "member": member, "variables": name, "total_nats": nats + 0.1 * member
            + (0.2 * FLOWS.index(flow) if name == "latent" else 0), "total_error": 0.05,
        }
        for flow in FLOWS
        for member in (0, 1)
        for name, nats in {"latent": 0.3, "whitened": 5.0, "physical": 40.0}.items()
    ]
)  # fmt: skip


def marks(axes, colour):
    lines = [each.lines[0] for each in axes.containers]
    found = [each.get_xydata() for each in lines if each.get_color() == colour]
    return np.concatenate(found)


@pytest.mark.parametrize(("panel", "diagonal"), [(0, False), (1, True)])
def test_marks_are_the_informations_of_pairs_in_rows_and_on_diagonals(panel, diagonal):
    axes = information(TABLE, TOTALS).axes[panel]
    rows = TABLE[(TABLE["distance"] > 1.2 * TABLE["scale"]) == diagonal]
    for flow, (colour, _) in looks(FLOWS).items():
        latent = rows[(rows["flow"] == flow) & (rows["variables"] == "latent")]
        assert sorted(marks(axes, colour)[:, 1]) == sorted(latent["information_nats"])
    for name, (_, colour, _) in OTHERS.items():
        # the fields are the same for all flows, and drawn once
        of_fields = rows[(rows["flow"] == FLOWS[0]) & (rows["variables"] == name)]
        assert sorted(marks(axes, colour)[:, 1]) == sorted(of_fields["information_nats"])


def test_marks_lie_at_their_scales_side_by_side():
    axes = information(TABLE, TOTALS).axes[0]
    assert [each.get_text() for each in axes.get_xticklabels()] == ["1", "2", "4"]
    places = [
        set(np.round(marks(axes, colour)[:, 0] % 1, 6))
        for colour in [looks(FLOWS)[each][0] for each in FLOWS] + [OTHERS[k][1] for k in OTHERS]
    ]
    assert all(len(each) == 1 for each in places)
    assert len(set.union(*places)) == 4


def test_every_mark_is_within_the_axes():
    for axes in information(TABLE, TOTALS).axes[:2]:
        low, high = axes.get_ylim()
        assert low < TABLE["information_nats"].min()
        assert TABLE["information_nats"].max() < high


def test_totals_are_those_of_the_table_and_fields_are_drawn_once():
    *_, axes = information(TABLE, TOTALS).axes
    for flow, (colour, _) in looks(FLOWS).items():
        latent = TOTALS[(TOTALS["flow"] == flow) & (TOTALS["variables"] == "latent")]
        assert sorted(marks(axes, colour)[:, 1]) == sorted(latent["total_nats"])
    for name, (_, colour, _) in OTHERS.items():
        of_fields = TOTALS[(TOTALS["flow"] == FLOWS[0]) & (TOTALS["variables"] == name)]
        assert sorted(marks(axes, colour)[:, 1]) == sorted(of_fields["total_nats"])


def test_figure_is_written(tmp_path):
    save(information(TABLE, TOTALS), tmp_path / "a.pdf", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 20_000
