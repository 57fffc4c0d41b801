"""Figures of what flows pass on show the numbers of their tables."""

import numpy as np
import pandas as pd

from coarsegrain.figures.neuralrg.gap import looks
from coarsegrain.figures.neuralrg.patterns import patterns, radius
from coarsegrain.figures.neuralrg.samples_by_scale import samples_by_scale
from coarsegrain.figures.neuralrg.scales import scales

FLOWS = ["sublattices", "patches"]
LABELS = [
    {"L": 4, "T": 2.269, "flow": flow, "member": member} for flow in FLOWS for member in (0, 1)
]
KINDS = ("difference", "beyond_free", "beyond_two_signs")


def test_marks_are_the_energies_by_scale_and_lie_within_the_axes():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        [
            {
                **label, "scale": scale, "sites": (4 // scale) ** 2, "samples": 1000,
                "energy_p_nats": rng.normal(10), "energy_q_nats": rng.normal(10),
                "free_nats": rng.normal(10), **{f"{kind}_nats": rng.normal() for kind in KINDS},
                **{f"{kind}_error": 0.01 for kind in KINDS},
            }
            for label in LABELS
            for scale in (1, 2)
        ]
    )  # fmt: skip
    per_site, difference, beyond = scales(table).axes
    for flow, (colour, _) in looks(FLOWS).items():
        rows = table[table["flow"] == flow]
        drawn = [line.get_ydata() for line in per_site.lines if line.get_color() == colour]
        np.testing.assert_allclose(drawn[0], rows["energy_p_nats"] / rows["sites"])
        np.testing.assert_allclose(drawn[1], rows["energy_q_nats"] / rows["sites"])
        for axes, kinds in ((difference, KINDS[:1]), (beyond, KINDS[1:])):
            bars = [each.lines[0] for each in axes.containers]
            drawn = [each.get_xydata()[:, 1] for each in bars if each.get_color() == colour]
            for values, kind in zip(drawn, kinds, strict=True):
                np.testing.assert_allclose(values, rows[f"{kind}_nats"])
                low, high = axes.get_ylim()
                assert low < values.min() <= values.max() < high


def test_pictures_are_the_mean_patterns_of_members_below_that_of_the_linear_map():
    table = pd.DataFrame(
        [
            {
                **label, "scale": scale, "row": row, "column": column, "samples": 10,
                "gradient": scale * row + column + 2 * label["member"], "whitening": row - column,
            }
            for label in LABELS
            for scale in (1, 2)
            for row in range(-2, 2)
            for column in range(-2, 2)
        ]
    )  # fmt: skip
    row, column = np.mgrid[-2:2, -2:2]
    images = [axes.images[0] for axes in patterns(table).axes if axes.images]
    expected = [row - column, row - column] + 2 * [row + column + 1, 2 * row + column + 1]
    for image, pattern in zip(images, expected, strict=True):
        np.testing.assert_allclose(image.get_array(), pattern)
        assert image.get_clim() == (-5, 5)
    assert radius(np.eye(4)) == np.sqrt((8 + 2 + 0 + 2) / 4)


def test_pictures_are_the_first_members_fields_below_those_that_are_decimated():
    table = pd.DataFrame(
        [
            {
                **label, "scale": scale, "row": row, "column": column,
                "field": row + 10 * column + 100 * label["member"] + (scale > 1) * 0.5,
            }
            for label in LABELS
            for scale in (1, 2, 4)
            for row in range(4 // scale)
            for column in range(4 // scale)
        ]
    )  # fmt: skip
    images = [axes.images[0].get_array() for axes in samples_by_scale(table).axes]
    row, column = np.mgrid[:4, :4]
    whole, coarse = row + 10 * column, (row + 10 * column)[:2, :2] + 0.5
    expected = [whole, whole[::2, ::2]] + 2 * [whole, coarse]
    for image, field in zip(images, expected, strict=True):
        np.testing.assert_allclose(image, field)
