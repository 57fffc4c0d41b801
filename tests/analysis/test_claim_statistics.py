"""Statistics of claims against numbers computed by hand on small tables."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.analysis.claim_statistics import NoNumber, measure, statistic
from coarsegrain.analysis.criterion import ClaimError, criterion, criterion_from_words
from coarsegrain.analysis.intervals import Interval, t_interval

LOSSES = pd.DataFrame(
    [
        ("A", 0, "test", 0.2), ("A", 1, "test", 0.3), ("A", 2, "test", 0.4),
        ("B", 0, "test", 0.5), ("B", 1, "test", 0.5), ("B", 2, "test", 0.8),
        ("A", 0, "train", 0.1), ("A", 1, "train", 0.1), ("A", 2, "train", 0.1),
    ],
    columns=["model", "member", "split", "hinge"],
)  # fmt: skip
BETA = np.array([0.1, 0.2, 0.3, 0.4])
FLOW = pd.DataFrame(
    [
        (beta, kind, value, 0.1, member)
        for member in range(3)
        for kind, values in {
            "output": 0.2 + 0.2 * BETA + 0.01 * member,
            "input": BETA + 0.02,
        }.items()
        for beta, value in zip(BETA, values)
    ],
    columns=["beta", "lattices", "read", "std_error", "member"],
)
TABLES = {"losses": LOSSES, "flow": FLOW}


def losses(**changes):
    given = {"table": "losses", "column": "hinge", "unit": "member", "rows": {"split": "test"}}
    return statistic(given | changes)


def flow(**changes):
    given = {
        "table": "flow", "column": "read", "unit": "member", "along": "beta", "reduce": "mean",
        "rows": {"lattices": "output"},
    }  # fmt: skip
    return statistic(given | changes)


def by_hand(*values):
    return pytest.approx(t_interval(np.array(values)))


def test_differences_are_paired_by_member():
    pair = losses(difference_of=[{"model": "B"}, {"model": "A"}])
    assert measure(pair, TABLES) == by_hand(0.3, 0.2, 0.4)


def test_ratios_are_paired_by_member():
    pair = losses(ratio_of=[{"model": "B"}, {"model": "A"}])
    assert measure(pair, TABLES) == by_hand(2.5, 5 / 3, 2)


def test_rows_that_stand_in_another_order_are_paired_all_the_same():
    pair = losses(difference_of=[{"model": "B"}, {"model": "A"}])
    shuffled = {"losses": LOSSES.sample(frac=1, random_state=1)}
    assert measure(pair, shuffled) == pytest.approx(measure(pair, TABLES))


def test_members_that_only_one_of_two_selections_has_are_left_out():
    pair = losses(difference_of=[{"model": "B"}, {"model": "A"}])
    fewer = {"losses": LOSSES[~((LOSSES["model"] == "B") & (LOSSES["member"] == 1))]}
    assert measure(pair, fewer) == by_hand(0.3, 0.4)


CODES = pd.DataFrame(
    [
        (code, member, loss + 0.01 * member)
        for member in range(3)
        for code, loss in ((8, 0.5), (16, 0.3), (32, 0.22), (64, 0.2))
    ],
    columns=["code", "member", "hinge"],
)


def test_a_single_row_of_each_member_is_subtracted_from_all_its_points():
    most = statistic(
        {"table": "codes", "column": "hinge", "unit": "member", "along": "code", "reduce": "max",
         "minus": {"code": 64}}
    )  # fmt: skip
    assert measure(most, {"codes": CODES}) == by_hand(0.3, 0.3, 0.3)


@pytest.mark.parametrize(
    ("level", "smallest"),
    # 0.1 above the last is reached at 16, 0.06 halfway from there to 32; all are below 0.4
    [(0.1, 16), (0.06, 24), (0.01, 48), (0.4, 8)],
)
def test_the_smallest_point_from_which_all_stay_below_a_level(level, smallest):
    smallest_code = statistic(
        {"table": "codes", "column": "hinge", "unit": "member", "along": "code",
         "minus": {"code": 64}, "reduce": "stays_below", "level": level}
    )  # fmt: skip
    assert measure(smallest_code, {"codes": CODES}) == by_hand(smallest, smallest, smallest)


def test_points_of_which_the_last_is_above_the_level_stay_below_it_nowhere():
    above = statistic(
        {"table": "codes", "column": "hinge", "unit": "member", "along": "code",
         "reduce": "stays_below", "level": 0.1}
    )  # fmt: skip
    with pytest.raises(NoNumber, match="3 of 3 have no stays below") as raised:
        measure(above, {"codes": CODES})
    assert raised.value.means == "fails"


def test_where_a_single_point_stays_below_is_not_told():
    alone = statistic(
        {"table": "codes", "column": "hinge", "unit": "member", "along": "code",
         "rows": {"code": 64}, "reduce": "stays_below", "level": 0.3}
    )  # fmt: skip
    with pytest.raises(NoNumber, match="there is only one code") as raised:
        measure(alone, {"codes": CODES})
    assert raised.value.means == "not tested"


@pytest.mark.parametrize("given", [{"level": 0.1}, {"reduce": "stays_below"}])
def test_a_level_without_its_reduction_is_refused(given):
    with pytest.raises(ClaimError, match="both of level and the reduction stays_below"):
        flow(**given)


def test_a_text_that_looks_like_a_pattern_selects_itself():
    table = pd.DataFrame(
        [("[32, 16, 32]", k, 0.1 + k) for k in range(3)] + [("auto", k, 0.2) for k in range(3)],
        columns=["layers", "member", "hinge"],
    )
    one = statistic({"table": "losses", "column": "hinge", "unit": "member",
                     "rows": {"layers": "[32, 16, 32]"}})  # fmt: skip
    assert measure(one, {"losses": table}) == by_hand(0.1, 1.1, 2.1)


def test_a_pattern_selects_all_models_whose_name_begins_so():
    worst = losses(rows={"split": "test", "model": "*"}, along="model", reduce="max")
    assert measure(worst, TABLES) == by_hand(0.5, 0.5, 0.8)


def test_other_rows_are_subtracted_point_by_point_before_the_reduction():
    worst = flow(minus={"lattices": "input"}, reduce="min")
    # 0.18 - 0.8 β + 0.01 member is smallest at β = 0.4
    assert measure(worst, TABLES) == by_hand(-0.14, -0.13, -0.12)


def test_a_column_is_subtracted_point_by_point():
    bias = flow(minus="beta", reduce="largest")
    assert measure(bias, TABLES) == by_hand(0.12, 0.13, 0.14)


def test_ranges_select_rows():
    at = flow(rows={"lattices": "output", "beta": {"at_least": 0.15, "at_most": 0.2}})
    assert measure(at, TABLES) == by_hand(0.24, 0.25, 0.26)


def test_a_list_selects_any_of_its_values():
    at = flow(rows={"lattices": "output", "beta": [0.1, 0.3]})
    assert measure(at, TABLES) == by_hand(0.24, 0.25, 0.26)


def test_rows_that_are_missing_are_told_in_words():
    rows = {"beta": {"at_least": 0.5, "at_most": 0.6}, "lattices": ["input", "output"]}
    with pytest.raises(NoNumber) as told:
        measure(flow(rows=rows, along=None, reduce=None), TABLES)
    assert str(told.value) == (
        "flow has no rows with beta at least 0.5 and at most 0.6, lattices input or output"
    )


def test_the_line_crosses_where_algebra_says():
    # 0.2 + 0.01 m + 0.2 β = β
    crossing = flow(reduce="line_crossing")
    assert measure(crossing, TABLES) == by_hand(0.25, 0.2625, 0.275)
    assert measure(flow(reduce="points_crossing"), TABLES) == by_hand(0.25, 0.2625, 0.275)


def test_chi_squared_of_a_line_through_points_that_it_misses():
    table = FLOW.copy()
    # a zigzag of ±0.1 with errors of 0.1, which leans to neither side: residuals 0.1, χ² 4 of 2
    for beta, way in zip(BETA, (1, -1, -1, 1)):
        table.loc[(table["beta"] == beta) & (table["lattices"] == "output"), "read"] += 0.1 * way
    fit = measure(flow(reduce="line_chi_squared", error="std_error"), {"flow": table})
    assert fit == pytest.approx((2, 2, 2))


def test_half_the_range_is_the_largest_bias_of_the_best_constant():
    assert measure(flow(column="beta", reduce="half_range"), TABLES).value == pytest.approx(0.15)


def test_an_exact_number_has_no_error():
    table = pd.DataFrame({"quantity": ["a", "b"], "value": [1.5, 2.5]})
    exact = statistic(
        {"table": "exact", "column": "value", "exact": True, "rows": {"quantity": "b"}}
    )
    assert measure(exact, {"exact": table}) == Interval(2.5, 2.5, 2.5)


def crossed_table():
    rows = [
        (beta, "output", 1 + 10 * a + t, a, t) for beta in BETA for a in range(3) for t in range(2)
    ]
    rows += [(beta, "input", 0.5 * t, np.nan, t) for beta in BETA for t in range(2)]
    columns = ["beta", "lattices", "read", "autoencoder", "thermometer"]
    return {"flow": pd.DataFrame(rows, columns=columns)}


def test_two_columns_that_count_members_are_crossed():
    value, low, high = measure(flow(unit=["autoencoder", "thermometer"]), crossed_table())
    assert value == pytest.approx(11.5)
    of_three, of_two = 4.302653 * np.sqrt(100 / 3), 12.7062 * np.sqrt(0.5 / 2)
    assert (high - low) / 2 == pytest.approx(np.hypot(of_three, of_two), rel=1e-5)


def test_what_only_one_of_two_nets_made_is_subtracted_from_all_of_the_others():
    crossed = flow(unit=["autoencoder", "thermometer"], minus={"lattices": "input"})
    value, low, high = measure(crossed, crossed_table())
    assert value == pytest.approx(11.25)
    of_three, of_two = 4.302653 * np.sqrt(100 / 3), 12.7062 * np.sqrt(0.125 / 2)
    assert (high - low) / 2 == pytest.approx(np.hypot(of_three, of_two), rel=1e-5)


def test_a_difference_of_crossed_and_single_members_is_paired_by_what_they_share():
    crossed = flow(
        unit=["autoencoder", "thermometer"], rows={},
        difference_of=[{"lattices": "output"}, {"lattices": "input"}],
    )  # fmt: skip
    assert measure(crossed, crossed_table()).value == pytest.approx(11.25)


def test_what_one_net_alone_made_has_the_interval_of_its_members():
    alone = flow(unit=["autoencoder", "thermometer"], rows={"lattices": "input"})
    assert measure(alone, crossed_table()) == by_hand(0, 0.5)


def test_a_crossing_with_a_hole_gives_no_number():
    table = crossed_table()["flow"]
    hole = table[~((table["autoencoder"] == 1) & (table["thermometer"] == 1))]
    with pytest.raises(NoNumber, match="not every autoencoder was measured with every"):
        measure(flow(unit=["autoencoder", "thermometer"]), {"flow": hole})


@pytest.mark.parametrize(
    ("rows", "means"),
    [
        (lambda table: table[table["member"] == 0], "not tested"),  # one member
        (lambda table: table[table["lattices"] == "input"], "not tested"),  # none
        (lambda table: table.assign(read=table["read"].where(table["member"] > 0)),
         "cannot be told"),
        (lambda table: table.assign(read=np.nan), "fails"),
    ],
)  # fmt: skip
def test_without_a_number_it_is_said_what_that_means(rows, means):
    with pytest.raises(NoNumber) as told:
        measure(flow(), {"flow": rows(FLOW)})
    assert told.value.means == means


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": None}, "no source of error"),
        ({"exact": True}, "or several"),
        ({"unit": ["member", "split", "model"]}, "no source of error"),
        ({"column": None}, "names no column"),
        ({"along": "beta"}, "both of along and reduce"),
        ({"along": "beta", "reduce": "median"}, "which is none of mean, min"),
        ({"colour": "red"}, "has colour, which is none of table"),
        ({"difference_of": [{}]}, "two selections"),
        ({"difference_of": [{}, {}], "ratio_of": [{}, {}]}, "both a difference and a ratio"),
        ({"unit": None, "error": "e", "sigmas": 3, "minus": "hinge"}, "may subtract"),
        ({"along": "beta", "reduce": "line_chi_squared"}, "needs the column of errors"),
    ],
)
def test_a_statistic_that_makes_no_sense_is_refused(changes, words):
    with pytest.raises(ClaimError, match=words):
        losses(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"table": "gains"}, r"no table gains \(there are flow, losses\)"),
        ({"column": "gain"}, "losses has no column gain"),
        ({}, "hold several numbers for one member"),
        ({"rows": {"member": {"between": 3}}}, "at_least and at_most"),
    ],
)
def test_what_the_tables_do_not_have_is_said(changes, words):
    with pytest.raises(ClaimError, match=words):
        measure(losses(**changes), TABLES)


FORMS = [{"above": 1}, {"below": -0.05}, {"between": [1.1, 1.35]}, {"within": 0.01, "of": 0.347}]


@pytest.mark.parametrize(
    ("how", "interval"),
    [
        ("min", (-3, -4, -2)),
        ("max", (2, 1, 4)),  # the second largest may be the largest, up to 4
        ("largest", (3, 2, 4)),
        ("mean", (0, -np.sqrt(11) / 3, np.sqrt(11) / 3)),
    ],
)
def test_errors_of_all_points_count_where_one_of_several_is_picked(how, interval):
    table = pd.DataFrame({"x": [1, 2, 3], "y": [-3.0, 2.0, 1.0], "e": [0.5, 0.5, 1.5]})
    given = {"table": "t", "column": "y", "error": "e", "sigmas": 2, "along": "x", "reduce": how}
    assert measure(statistic(given), {"t": table}) == pytest.approx(interval)
    for column in ("y", "e"):
        hole = table.assign(**{column: table[column].where(table["x"] < 3)})
        with pytest.raises(NoNumber, match="1 of 3 have no y") as told:
            measure(statistic(given), {"t": hole})
        assert told.value.means == "cannot be told"


@pytest.mark.parametrize("given", FORMS)
def test_a_criterions_words_say_it_all(given):
    assert criterion_from_words(criterion(given).words) == criterion(given)
    assert criterion_from_words(f"Model-1: χ²: {criterion(given).words}") == criterion(given)


def test_words_that_are_no_criterion_are_none():
    assert criterion_from_words("above all") is None
    assert criterion_from_words("") is None


@pytest.mark.parametrize(
    ("given", "low", "high", "answer"),
    [
        ({"above": 1}, 1.1, 2, "holds"),
        ({"above": 1}, 0.9, 2, "cannot be told"),
        ({"above": 1}, 0, 0.9, "fails"),
        ({"above": 1}, 1, 1, "fails"),
        ({"below": 1}, 0, 0.9, "holds"),
        ({"below": 1}, 1.1, 2, "fails"),
        ({"between": [1, 2]}, 1.1, 1.9, "holds"),
        ({"between": [1, 2]}, 0, 3, "cannot be told"),
        ({"between": [1, 2]}, 2.1, 3, "fails"),
        ({"within": 1, "of": 5}, 4.5, 5.9, "holds"),
        ({"within": 1, "of": 5}, 5.5, 6.5, "cannot be told"),
    ],
)
def test_an_interval_holds_inside_fails_outside_and_else_cannot_be_told(given, low, high, answer):
    assert criterion(given).answer(Interval((low + high) / 2, low, high)) == answer


@pytest.mark.parametrize(
    "given",
    [
        {}, {"above": "0"}, {"above": True}, {"above": float("nan")}, {"above": 0, "below": 1},
        {"between": [2, 1]}, {"between": [1]}, {"within": -1, "of": 0}, {"within": 1},
        {"equals": 1},
    ],
)  # fmt: skip
def test_a_criterion_of_another_form_is_refused(given):
    with pytest.raises(ClaimError, match="is none of above: a"):
        criterion(given)
