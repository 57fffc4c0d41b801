import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.lattices.certificates import FAILED, MOST, certificates


def table(score=1.0, *, passed=True, steps=True):
    """A critical set, and a wide one with two bins and a test of everything."""
    spans = {"critical/a": [(0.4352, 0.4352)], "wide": [(0.0, 0.3), (0.3, 0.6), (0.0, 0.6)]}
    rows = [
        (name, test, *span, score)
        for name, each in spans.items()
        for test in ("energy", "heat capacity", "energy distribution")
        for span in each
    ]
    rows += [(name, "magnetization", *each[-1], -score) for name, each in spans.items()]
    if steps:
        rows += [(name, "steps", *each[-1], 0.0) for name, each in spans.items()]
    frame = pd.DataFrame(rows, columns=["set", "test", "beta_min", "beta_max", "score"])
    return frame.assign(level=1e-8, passed=passed)


def marks(axes, colour=None):
    lines = [line for line in axes.lines if line.get_marker() not in ("", "None", None)]
    lines = [line for line in lines if colour is None or line.get_color() == colour]
    pairs = [np.column_stack(line.get_data()) for line in lines]
    return np.concatenate(pairs) if pairs else np.empty((0, 2))


def test_tests_in_bins_stand_at_the_middle_of_their_beta_and_the_others_apart():
    left, right = certificates(table()).axes
    np.testing.assert_allclose(sorted(set(marks(left)[:, 0])), [0.15, 0.4352, 0.45])
    assert len(marks(left)) == 9
    names = [label.get_text() for label in right.get_yticklabels()]
    assert sorted(names) == ["energy", "energy distribution", "heat capacity", "magnetization"]
    assert len(marks(right)) == 5


def test_limits_are_those_of_the_family_wise_level():
    left, _ = certificates(table()).axes
    limits = [line.get_ydata()[0] for line in left.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(sorted(limits), [-5.7307, 5.7307], atol=1e-3)


def test_failures_are_red_inside_the_frame_and_counted():
    figure = certificates(table(37.0, passed=False))
    left, right = figure.axes
    assert len(marks(left, FAILED)) == 9
    assert len(marks(right, FAILED)) == 5
    assert marks(left, FAILED)[:, 1].max() == MOST
    assert "2 failed" in figure.get_suptitle()


@pytest.mark.parametrize(("steps", "words"), [(True, "in 2 sets: enough"), (False, "exactly")])
def test_the_note_tells_about_the_steps(steps, words):
    figure = certificates(table(steps=steps))
    assert "all passed" in figure.get_suptitle()
    assert words in figure.get_supxlabel()
