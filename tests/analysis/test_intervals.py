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
    # t(0.975, 2) and t(0.975, 3); s²(rows) = 1, s²(columns) = 500/3
    of_rows, of_columns = 4.302653 / np.sqrt(3), 3.182446 * np.sqrt(500 / 3 / 4)
    assert (high - low) / 2 == pytest.approx(np.hypot(of_rows, of_columns), rel=1e-6)


def test_what_members_have_in_common_is_added_with_the_normal_factor():
    values = np.array([[0.0, 1.0], [1.0, 2.0]])
    for interval, of in ((t_interval, values[0]), (crossed_interval, values)):
        value, low, high = interval(of, 0.5)
        _, alone, _ = interval(of)
        assert value - low == pytest.approx(np.hypot(value - alone, 1.959964 * 0.5), rel=1e-6)
        assert high - value == pytest.approx(value - low)


def test_where_one_net_has_no_spread_the_crossed_interval_is_the_others():
    rows = np.array([1.0, 2.0, 3.0])
    crossed = crossed_interval(np.repeat(rows[:, None], 3, axis=1))
    assert crossed == pytest.approx(t_interval(rows))


# spreads of rows, columns and interaction; the last: whether one spread is all there is
EFFECTS = [
    (1, 0, 0, True), (0, 1, 0, True), (1, 1, 0, False), (1, 0.3, 0, False), (0.3, 1, 0, False),
    (1, 1, 1, False), (0, 0, 1, False),
]  # fmt: skip


def two_way(effects, shape, n):
    """(n, I, J) a row's, a column's and a pair's own effect in every cell; their mean is 0."""
    rng = np.random.default_rng(6)
    of_row, of_column, of_pair = effects
    return (
        of_row * rng.normal(size=(n, shape[0], 1))
        + of_column * rng.normal(size=(n, 1, shape[1]))
        + of_pair * rng.normal(size=(n, *shape))
    )


@pytest.mark.parametrize("shape", [(3, 3), (3, 8), (2, 5)])
@pytest.mark.parametrize("effects", EFFECTS)
def test_a_crossed_interval_covers_the_truth_at_least_as_often_as_it_says(effects, shape):
    *effects, alone = effects
    n = 2000
    found = [crossed_interval(values) for values in two_way(effects, shape, n)]
    covered = np.mean([low <= 0 <= high for _, low, high in found])
    tolerance = 4 * np.sqrt(0.95 * 0.05 / n)
    assert covered > 0.95 - tolerance
    if alone:
        assert covered < 0.95 + tolerance


def test_pairs_are_not_members():
    naive = [t_interval(values.ravel()) for values in two_way((1, 1, 0), (3, 3), 2000)]
    assert np.mean([low <= 0 <= high for _, low, high in naive]) < 0.85


@pytest.mark.parametrize("effects", EFFECTS)
def test_the_means_over_rows_and_columns_have_the_variances_of_two_random_effects(effects):
    """The closed form that the interval rests on, σ²_a/I + σ²_b/J + σ²_ab/(IJ)."""
    (of_row, of_column, of_pair), (rows, columns), n = effects[:3], (3, 8), 20000
    values = two_way(effects[:3], (rows, columns), n)
    pair = of_pair**2 / (rows * columns)
    for found, true in (
        (values.mean(axis=2).var(axis=1, ddof=1) / rows, of_row**2 / rows + pair),
        (values.mean(axis=1).var(axis=1, ddof=1) / columns, of_column**2 / columns + pair),
        (values.mean(axis=(1, 2)) ** 2, of_row**2 / rows + of_column**2 / columns + pair),
    ):
        assert found.mean() == pytest.approx(true, abs=4 * found.std() / np.sqrt(n) + 1e-12)


def test_a_crossed_interval_needs_two_members_of_each_net():
    with pytest.raises(ValueError, match="two members of each"):
        crossed_interval(np.ones((1, 3)))


def test_an_interval_is_written_with_its_ends_unless_it_is_exact():
    assert str(Interval(0.25, 0.2, 0.3)) == "0.25 [0.2, 0.3]"
    assert str(Interval(0.25, 0.25, 0.25)) == "0.25"
