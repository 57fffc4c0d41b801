import math

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.autoencoder import nets
from coarsegrain.figures.autoencoder.beta_flow import (
    CURVES,
    EXACT,
    KINDS,
    beta_flow,
    straight_line,
    with_intervals,
)
from coarsegrain.figures.autoencoder.fixed_points import SOURCES
from coarsegrain.figures.autoencoder.local_entropy import local_entropy
from coarsegrain.figures.autoencoder.thermometer import BY_ENERGY, thermometer
from coarsegrain.ising.critical_point import BETA_CRITICAL

BETAS = np.linspace(0.01, 0.6, 12)


def flow_table(members=3, of_autoencoder=0.0) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    slopes = {"input": 0.9, "autoencoder": 0.7, "autoencoder_sign": 0.75, "decimated": 1.1}
    rows = [
        (beta, kind, i, j,
         0.45 + slope * (beta - 0.45) + 0.005 * rng.normal() + of_autoencoder * (i or 0), 0.002,
         0.1 * slope + 0.01 * rng.normal(), 0.001)
        for beta in BETAS
        for kind, slope in slopes.items()
        for i in (range(members) if kind.startswith("autoencoder") else [None])
        for j in range(members + 1)
    ]  # fmt: skip
    once = [3 / 8 * math.log(math.cosh(4 * beta)) for beta in BETAS]
    twice = [3 / 8 * math.log(math.cosh(4 * beta)) for beta in once]
    for curve, after in zip(CURVES, (once, twice)):
        rows += [(beta, curve, None, None, y, 0.0, None, None) for beta, y in zip(BETAS, after)]
    columns = ["beta", "lattices", "autoencoder", "thermometer", "beta_predicted", "std_error",
               "less_input", "less_input_error"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def exact(members=3) -> pd.DataFrame:
    rows = [
        (beta, name, member, 0.1 + 0.01 * (member or 0), 0.002, 0.2, 0.003, beta + 0.001)
        for beta in BETAS
        for name, of in (("input", [None]), ("decimated", [None]), ("autoencoder_sign", range(3)))
        for member in of
    ]
    columns = ["beta", "lattices", "member", "change_E", "beta_E_error", "change_R", "beta_R_error",
               "beta_E"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def drawn_flow(table, points):
    figure = beta_flow(table, points, exact())
    titles = {axes.get_title(loc="left"): axes for axes in figure.axes}
    names = {"flow": "β′ by the", "net": "By the net", "exact": "By exact", "marks": "Fixed points"}
    return figure, {
        name: next(axes for title, axes in titles.items() if title.startswith(words))
        for name, words in names.items()
    }


def fixed_points(**changes: float) -> pd.DataFrame:
    stars = dict.fromkeys(SOURCES, 0.45) | changes
    rows = [(source, star, star - 0.01, star + 0.01) for source, star in stars.items()]
    return pd.DataFrame(rows, columns=["source", "beta_star", "low", "high"])


def line(axes, label):
    return next(line for line in axes.get_lines() if line.get_label().startswith(label))


@pytest.mark.parametrize("kind", KINDS)
def test_plotted_flow_is_the_mean_of_all_pairs(kind):
    table = flow_table()
    _, panels = drawn_flow(table, fixed_points())
    colour, _, _, label = KINDS[kind]
    for axes, column in ((panels["flow"], "beta_predicted"), (panels["net"], "less_input")):
        if column == "less_input" and kind == "input":
            continue
        drawn = line(axes, label)
        expected = table[table["lattices"] == kind].groupby("beta")[column].mean()
        np.testing.assert_array_equal(drawn.get_xdata(), expected.index)
        np.testing.assert_allclose(drawn.get_ydata(), expected.astype(float), rtol=1e-12)
        assert drawn.get_color() == colour


def test_bars_hold_the_spreads_of_both_nets_and_of_the_lattices():
    rows = flow_table(of_autoencoder=0.1)
    rows = rows[(rows["lattices"] == "autoencoder") & (rows["beta"] == BETAS[2])]
    (point,) = with_intervals(rows, "beta_predicted", "std_error").to_dict("records")
    grid = rows["beta_predicted"].to_numpy(dtype=float).reshape(3, 4)
    widths = [
        t * grid.mean(axis=axis).std(ddof=1) / np.sqrt(n)
        for t, axis, n in ((4.302653, 1, 3), (3.182446, 0, 4))  # of 2 and 3 degrees of freedom
    ]
    half = np.sqrt(np.sum(np.square([*widths, 1.959964 * 0.002])))
    found = point["value"], point["low"], point["high"]
    assert found == pytest.approx((grid.mean(), grid.mean() - half, grid.mean() + half), rel=1e-6)
    # an autoencoder's own spread of 0.1 is not made small by the number of thermometers
    assert half > 0.9 * 4.3 * 0.1 / np.sqrt(3)


def test_both_curves_and_the_change_by_exact_thermometers_are_drawn():
    table = flow_table()
    _, panels = drawn_flow(table, fixed_points())
    for curve, (_, label) in CURVES.items():
        expected = table.loc[table["lattices"] == curve, "beta_predicted"].astype(float)
        drawn = next(x for x in panels["flow"].get_lines() if x.get_label() == label)
        np.testing.assert_allclose(drawn.get_ydata(), expected)
    for (lattices, letter), (_, label) in EXACT.items():
        drawn = [x for x in panels["exact"].get_lines() if x.get_label() == label]
        value = {"E": 0.1, "R": 0.2}[letter] + (lattices, letter).count("autoencoder_sign") * (
            0.01 if letter == "E" else 0
        )
        np.testing.assert_allclose(drawn[0].get_ydata(), value)


def test_the_fitted_line_goes_through_points_that_lie_on_a_line():
    rows = pd.DataFrame({"beta": BETAS, "beta_predicted": 0.2 + 0.6 * BETAS})
    assert straight_line(rows) == pytest.approx((0.6, 0.2))


def test_one_beta_alone_has_no_line_and_is_drawn():
    table = flow_table()
    table = table[table["beta"] == BETAS[3]]
    assert straight_line(table[table["lattices"] == "autoencoder"]) is None
    beta_flow(table, fixed_points(), exact()).draw_without_rendering()


def test_arrows_point_toward_an_attractor_and_away_from_a_repeller():
    marks = drawn_flow(flow_table(), fixed_points())[1]["marks"]
    rows = [tick.get_text() for tick in marks.get_yticklabels()]

    def arrows(words, marker):
        row = rows.index(words)
        found = [x for x in marks.get_lines() if x.get_marker() == marker and len(x.get_ydata())]
        return np.concatenate([x.get_xdata()[np.equal(x.get_ydata(), row)] for x in found])

    assert arrows("autoencoder, straight line", ">").max() < 0.47
    assert arrows("autoencoder, straight line", "<").min() > 0.43
    assert arrows("decimation, eq. 5", "<").max() < 0.51
    assert arrows("decimation, eq. 5", ">").min() > 0.50


def words_of(axes):
    return [text.get_text() for text in axes.texts]


def test_a_fixed_point_that_does_not_exist_is_said_and_does_not_crash():
    points = fixed_points(autoencoder_line=np.nan, input_line=np.nan)
    figure, panels = drawn_flow(flow_table(), points)
    figure.draw_without_rendering()
    assert words_of(panels["marks"]).count("no crossing of every pair") == 2


def test_fixed_points_are_written_with_their_intervals():
    _, panels = drawn_flow(flow_table(), fixed_points(autoencoder_line=0.4311))
    assert "0.4311  [0.4211, 0.4411]" in words_of(panels["marks"])


@pytest.mark.parametrize("source", ["input_line", "autoencoder_line"])
def test_a_fixed_point_outside_the_axis_is_said_to_be_so_and_does_not_stretch_it(source):
    _, panels = drawn_flow(flow_table(), fixed_points(**{source: 2.0}))
    assert any("off scale" in words for words in words_of(panels["marks"]))
    for name in ("flow", "marks"):
        assert panels[name].get_xlim()[1] < 1
    assert panels["flow"].get_ylim()[1] < 1


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow_at_its_edge():
    points = fixed_points()
    wide = points["source"] == "autoencoder_line"
    points.loc[wide, ["low", "high"]] = [-1.0, 3.0]
    axes = drawn_flow(flow_table(), points)[1]["marks"]
    arrows = {
        (line.get_marker(), *line.get_xdata(), *line.get_ydata())
        for line in axes.get_lines()
        if line.get_marker() in "<>" and line.get_markersize() == 8
    }
    left, right = axes.get_xlim()
    assert arrows == {("<", left, 0), (">", right, 0)}


def test_a_bar_that_leaves_its_axis_ends_in_an_arrow_and_does_not_stretch_it():
    table = flow_table()
    wide = (table["lattices"] == "autoencoder") & (table["beta"] == BETAS[4])
    table.loc[wide, "beta_predicted"] += 40 * (table.loc[wide, "autoencoder"] - 1)
    axes = drawn_flow(table, fixed_points())[1]["flow"]
    bottom, top = axes.get_ylim()
    assert -0.5 < bottom < top < 1.5
    arrows = {
        (line.get_marker(), *line.get_xdata(), *line.get_ydata())
        for line in axes.get_lines()
        if line.get_markersize() == 5 and line.get_marker() in ("v", "^")
    }
    assert arrows == {("v", BETAS[4], bottom), ("^", BETAS[4], top)}


def test_the_autoencoder_has_the_colour_of_AE_WR_with_and_without_sign():
    axes = drawn_flow(flow_table(), fixed_points())[1]["flow"]
    for kind in ("autoencoder", "autoencoder_sign"):
        assert line(axes, KINDS[kind][3]).get_color() == nets.NET_COLOURS["AE-WR"]


def test_the_numbers_of_both_nets_are_stated():
    figure, _ = drawn_flow(flow_table(3), fixed_points())
    assert "3 autoencoders and 4 thermometers" in figure.get_supxlabel()


def entropies() -> pd.DataFrame:
    rows = [
        (beta, lattices, boundary, height - beta + (boundary == "crop") / 50, 0.01)
        for beta in BETAS
        for lattices, height in (("input", 0.9), ("autoencoder", 0.8), ("decimated", 0.95))
        for boundary in ("crop", "periodic")
    ]
    columns = ["beta", "lattices", "boundary", "entropy_bits", "std_error"]
    return pd.DataFrame(rows, columns=columns)


def gaps(members=3) -> pd.DataFrame:
    kinds = [("autoencoder", "sign", "crop"), ("autoencoder", "sign", "periodic"),
             ("decimated", "sign", "crop"), ("decimated", "sign", "periodic"),
             ("autoencoder", "rescale", "crop")]  # fmt: skip
    rows = [
        (beta, *kind, member, (2 if kind[1] == "rescale" else -0.1) + 0.01 * (member or 0), 0.003)
        for kind in kinds
        for member in (range(members) if kind[0] == "autoencoder" else [None])
        for beta in BETAS
    ]
    columns = ["beta", "lattices", "image", "boundary", "member", "gap_bits", "std_error"]
    return pd.DataFrame(rows, columns=columns)


def test_entropies_are_plotted_with_their_errors_in_the_panel_of_their_boundary():
    table = entropies()
    panels = local_entropy(table, gaps(), "sign").axes
    for axes, boundary in zip(panels, ("crop", "periodic")):
        drawn = {each.get_label(): each for each in axes.containers}
        rows = table[(table["boundary"] == boundary) & (table["lattices"] == "decimated")]
        points, _, (bars,) = drawn["lattices decimated twice"]
        np.testing.assert_array_equal(points.get_ydata(), rows["entropy_bits"])
        assert points.get_color() == nets.LATTICE_COLOURS["decimated"]
        lengths = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
        np.testing.assert_allclose(lengths, 0.02)


@pytest.mark.parametrize(("image", "mean"), [("sign", -0.09), ("rescale", 2.01)])
def test_differences_to_the_input_are_those_of_all_members_by_the_image_that_was_set(image, mean):
    table = gaps()
    if image == "rescale":  # what is set is measured with both boundaries, the other with one
        of_net = table["lattices"] == "autoencoder"
        other = table[of_net & (table["image"] == "rescale")].assign(boundary="periodic")
        table = pd.concat([table[~of_net | (table["boundary"] == "crop")], other])
    *_, left, right, below = local_entropy(entropies(), table, image).axes
    colour = nets.LATTICE_COLOURS["autoencoder"]
    for axes in (left, right):
        drawn = [x for x in axes.get_lines() if x.get_marker() == "s" and x.get_color() == colour]
        np.testing.assert_allclose(drawn[0].get_ydata(), mean)
        assert len(axes.containers) == 3 + 1  # members, and decimated lattices
    (drawn,) = (x for x in below.get_lines() if x.get_marker() == "s")
    np.testing.assert_allclose(drawn.get_ydata(), {"sign": 2.01, "rescale": -0.09}[image])
    words = {"sign": "256 grey levels", "rescale": "sign()"}[image]
    assert below.get_title(loc="left").endswith(words)


def test_the_critical_point_of_the_entropies_is_the_exact_one():
    assert math.sinh(2 * BETA_CRITICAL) == pytest.approx(1, abs=1e-15)
    axes = local_entropy(entropies(), gaps(), "sign").axes[0]
    assert any(
        list(each.get_xdata()) == [BETA_CRITICAL, BETA_CRITICAL] for each in axes.get_lines()
    )


def readings(members=3) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = pd.DataFrame(
        [
            (b, 0.1 + 0.8 * b + 0.01 * m, 0.01, m, 0.004 * (m + 1), 3e-4, 0.029)
            for b in BETAS
            for m in range(members)
        ],
        columns=["beta", "beta_predicted", "std_error", "member", "squared_error",
                 "squared_error_by_energy", "squared_error_of_constant"],
    )  # fmt: skip
    training = pd.DataFrame(
        [
            (m, e, split, 0.05 / e)
            for m in range(members)
            for e in range(1, 4 + m)  # members stop at different epochs
            for split in ("train", "validation")
        ],
        columns=["member", "epoch", "split", "loss"],
    )
    return table, training


@pytest.mark.parametrize("members", [2, 10])
def test_the_residual_is_predicted_minus_actual_of_the_members_mean(members):
    figure = thermometer(*readings(members), exact())
    residual = next(axes for axes in figure.axes if axes.get_ylabel() == "predicted − actual")
    drawn = line(residual, "net: mean of the members")
    offset = 0.01 * (members - 1) / 2
    np.testing.assert_allclose(drawn.get_ydata(), 0.1 - 0.2 * BETAS + offset)
    assert f"{members} independently trained members" in figure.get_supxlabel()


def test_every_member_of_the_thermometer_is_plotted_with_its_error():
    axes = thermometer(*readings(4), exact()).axes[0]
    assert len([each for each in axes.containers if each.get_label() != BY_ENERGY]) == 4


def test_thermometer_E_is_drawn_on_the_same_lattices_as_the_reference():
    predicted, residual = (
        next(each for each in axes.containers if each.get_label() == BY_ENERGY)
        for axes in thermometer(*readings(), exact()).axes
        if axes.get_ylabel() in ("predicted β", "predicted − actual")
    )
    np.testing.assert_allclose(predicted.lines[0].get_ydata().astype(float), BETAS + 0.001)
    np.testing.assert_allclose(residual.lines[0].get_ydata().astype(float), 0.001)


def test_the_test_errors_of_net_energy_and_constant_are_written_with_the_members_range():
    figure = thermometer(*readings(3), exact())
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("Test"))
    assert axes.get_legend_handles_labels()[1] == [
        "best constant: 0.029", "net: 0.008 (0.004 to 0.012)", "energy of the lattice (E): 0.0003",
    ]  # fmt: skip


def test_missing_numbers_leave_gaps_and_do_not_crash():
    table, training = readings()
    table.loc[:2, "beta_predicted"] = np.nan
    training.loc[0, "loss"] = np.nan
    thermometer(table, training, exact()).draw_without_rendering()
    flow = flow_table()
    flow.loc[flow["beta"] == BETAS[0], "beta_predicted"] = np.nan
    beta_flow(flow, fixed_points(), exact()).draw_without_rendering()
    entropy = entropies()
    entropy.loc[:4, ["entropy_bits", "std_error"]] = np.nan
    local_entropy(entropy, gaps(), "sign").draw_without_rendering()
