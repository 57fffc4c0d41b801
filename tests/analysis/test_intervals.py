"""Intervals against tabulated and hand-computed values, and against how often they cover."""

import numpy as np
import pytest

from coarsegrain.analysis.intervals import Interval, crossed_interval, t_interval


def test_the_interval_of_three_members_has_students_tabulated_factor():
    # mean 2, s = 1, t(0.975, 2) = 4.302653 (any table of Student's t)
    value, low, high = t_interval(np.array([1.0, 2.0, 3.0]))
    assert value == 2
    assert (high - low) / 2 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)


def test_the_interval_of_two_members_is_much_wider():
    # t(0.975, 1) = 12.7062
    _, low, high = t_interval(np.array([0.0, 1.0]))
    assert (high - low) / 2 == pytest.approx(12.7062 * np.sqrt(0.5) / np.sqrt(2), rel=1e-5)


def test_one_member_has_no_interval():
    with pytest.raises(ValueError, match="two members or more"):
        t_interval(np.array([1.0]))


def test_ninety_five_of_a_hundred_intervals_of_three_members_cover_the_truth():
    rng = np.random.default_rng(5)
    n = 4000
    covered = [low <= 0 <= high for _, low, high in map(t_interval, rng.normal(size=(n, 3)))]
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / n))


def test_a_crossed_interval_adds_both_spreads():
    rows, columns = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0, 20.0, 30.0])
    value, low, high = crossed_interval(rows[:, None] + columns[None, :])
    assert value == 16
    variance = 1 / 3 + (1000 / 6) / 4  # s²(rows) = 1, s²(columns) = 500/3
    assert (high - low) / 2 == pytest.approx(4.302653 * np.sqrt(variance), rel=1e-6)


def test_where_one_net_has_no_spread_the_crossed_interval_is_the_others():
    rows = np.array([1.0, 2.0, 3.0])
    crossed = crossed_interval(np.repeat(rows[:, None], 3, axis=1))
    assert crossed == pytest.approx(t_interval(rows))


@pytest.mark.parametrize("interaction", [0.0, 1.0])
def test_a_crossed_interval_covers_the_truth_at_least_as_often_as_it_says(interaction):
    rng = np.random.default_rng(6)
    n, covered, naive = 2000, 0, 0
    for _ in range(n):
        values = (
            rng.normal(size=(3, 1)) + rng.normal(size=(1, 3))
            + interaction * rng.normal(size=(3, 3))
        )  # fmt: skip
        _, low, high = crossed_interval(values)
        covered += low <= 0 <= high
        _, low, high = t_interval(values.ravel())
        naive += low <= 0 <= high
    assert covered / n > 0.95 - 4 * np.sqrt(0.95 * 0.05 / n)
    assert naive / n < 0.85  # nine pairs are not nine members


def test_a_crossed_interval_needs_two_members_of_each_net():
    with pytest.raises(ValueError, match="two members of each"):
        crossed_interval(np.ones((1, 3)))


def test_an_interval_is_written_with_its_ends_unless_it_is_exact():
    assert str(Interval(0.25, 0.2, 0.3)) == "0.25 [0.2, 0.3]"
    assert str(Interval(0.25, 0.25, 0.25)) == "0.25"
