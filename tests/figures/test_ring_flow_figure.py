"""The figure of the learned flow shows the numbers of its table."""

import numpy as np
import pandas as pd

from coarsegrain.figures.rbm.ring_flow import ring_flow

K = np.linspace(0.2, 1.5, 5)


def table():
    rows = []
    for b in (2, 3):
        exact = np.arctanh(np.tanh(K) ** b)
        for source, members, off, error in (
            ("exact", 2, 1e-4, 0.0), ("samples", 3, 2e-3, 1e-3), ("exact_plain_loss", 1, 4e-4, 0.0),
        ):  # fmt: skip
            for member in range(members):
                learned = exact + off * (-1) ** member
                rows += [(b, source, member, *row, error) for row in zip(K, learned, exact)]
    columns = ["b", "source", "member", "K", "K_learned", "K_exact", "K_error"]
    return pd.DataFrame(rows, columns=columns)


def differences(axes):
    return np.array([each.lines[0].get_xydata()[:, 1] for each in axes.containers], dtype=float)


def test_differences_are_those_of_every_member_of_either_b():
    _, exact, samples = ring_flow(table()).axes
    for axes, members, off in ((exact, 2, 1e-4), (samples, 3, 2e-3)):
        drawn = differences(axes)
        assert len(drawn) == 2 * members
        np.testing.assert_allclose(np.abs(drawn), off, rtol=1e-9)


def test_only_what_was_sampled_has_bars_and_bands_are_the_tolerances():
    _, exact, samples = ring_flow(table()).axes
    assert not any(each.has_yerr for each in exact.containers)
    assert all(each.has_yerr for each in samples.containers)
    assert exact.patches[0].get_height() == 1e-3
    assert samples.patches[0].get_height() == 6e-3


def test_a_table_without_samples_has_one_panel_less():
    assert len(ring_flow(table().query("source == 'exact'")).axes) == 2
