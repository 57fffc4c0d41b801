import math

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.autoencoder import nets
from coarsegrain.figures.autoencoder.beta_flow import KINDS, SOURCES, beta_flow, straight_line
from coarsegrain.figures.autoencoder.local_entropy import local_entropy
from coarsegrain.figures.autoencoder.thermometer import thermometer
from coarsegrain.ising.critical_point import BETA_CRITICAL

BETAS = np.linspace(0.01, 0.6, 12)


def flow_table(members=3) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    slopes = {"input": 0.9, "autoencoder": 0.7, "autoencoder_sign": 0.75}
    rows = [
        (beta, kind, 0.45 + slope * (beta - 0.45) + 0.005 * rng.normal(), 0.002, member)
        for beta in BETAS
        for kind, slope in slopes.items()
        for member in range(members)
    ]
    rows += [
        (beta, "decimation_eq5", 3 / 8 * math.log(math.cosh(4 * beta)), 0.0, None) for beta in BETAS
    ]
    return pd.DataFrame(rows, columns=["beta", "lattices", "beta_predicted", "std_error", "member"])


def fixed_points(**changes: float) -> pd.DataFrame:
    stars = dict.fromkeys(SOURCES, 0.45) | changes
    rows = [(source, star, star - 0.01, star + 0.01) for source, star in stars.items()]
    return pd.DataFrame(rows, columns=["source", "beta_star", "low", "high"])


def line(axes, label):
    return next(line for line in axes.get_lines() if line.get_label().startswith(label))


@pytest.mark.parametrize("kind", KINDS)
def test_plotted_flow_is_the_mean_of_the_members(kind):
    table = flow_table()
    colour, _, _, label = KINDS[kind]
    drawn = line(beta_flow(table, fixed_points()).axes[0], label)
    expected = table[table["lattices"] == kind].groupby("beta")["beta_predicted"].mean()
    np.testing.assert_array_equal(drawn.get_xdata(), expected.index)
    np.testing.assert_allclose(drawn.get_ydata(), expected, rtol=1e-15)
    assert drawn.get_color() == colour


def test_the_fitted_line_goes_through_points_that_lie_on_a_line():
    rows = pd.DataFrame({"beta": BETAS, "beta_predicted": 0.2 + 0.6 * BETAS})
    assert straight_line(rows) == pytest.approx((0.6, 0.2))


def test_one_beta_alone_has_no_line_and_is_drawn():
    table = flow_table()
    table = table[table["beta"] == BETAS[3]]
    assert straight_line(table[table["lattices"] == "autoencoder"]) is None
    beta_flow(table, fixed_points()).draw_without_rendering()


def test_arrows_point_toward_an_attractor_and_away_from_a_repeller():
    marks = beta_flow(flow_table(), fixed_points()).axes[1]
    rows = [tick.get_text() for tick in marks.get_yticklabels()]

    def arrows(words, marker):
        row = rows.index(words)
        found = [x for x in marks.get_lines() if x.get_marker() == marker and len(x.get_ydata())]
        return np.concatenate([x.get_xdata()[np.equal(x.get_ydata(), row)] for x in found])

    assert arrows("autoencoder, straight line", ">").max() < 0.47
    assert arrows("autoencoder, straight line", "<").min() > 0.43
    assert arrows("decimation, eq. 5", "<").max() < 0.51
    assert arrows("decimation, eq. 5", ">").min() > 0.50


def test_a_fixed_point_that_does_not_exist_is_said_and_does_not_crash():
    points = fixed_points(autoencoder_line=np.nan, input_line=np.nan)
    figure = beta_flow(flow_table(), points)
    figure.draw_without_rendering()
    words = [text.get_text() for text in figure.axes[1].texts]
    assert words.count("no crossing") == 2


def test_fixed_points_are_written_with_their_intervals():
    figure = beta_flow(flow_table(), fixed_points(autoencoder_line=0.4311))
    assert "0.4311  [0.4211, 0.4411]" in [text.get_text() for text in figure.axes[1].texts]


@pytest.mark.parametrize("source", ["input_line", "autoencoder_line"])
def test_a_fixed_point_outside_the_axis_is_said_to_be_so_and_does_not_stretch_it(source):
    figure = beta_flow(flow_table(), fixed_points(**{source: 2.0}))
    assert any("off scale" in text.get_text() for text in figure.axes[1].texts)
    assert figure.axes[0].get_xlim()[1] < 1
    assert figure.axes[0].get_ylim()[1] < 1


def test_the_autoencoder_has_the_colour_of_AE_WR_with_and_without_sign():
    axes = beta_flow(flow_table(), fixed_points()).axes[0]
    for kind in ("autoencoder", "autoencoder_sign"):
        assert line(axes, KINDS[kind][3]).get_color() == nets.NET_COLOURS["AE-WR"]


def test_the_number_of_members_does_not_count_the_curve():
    assert "mean of 3 members" in beta_flow(flow_table(3), fixed_points()).get_supxlabel()


def entropies() -> pd.DataFrame:
    rows = [
        (beta, lattices, boundary, height - beta + (boundary == "crop") / 50, 0.01)
        for beta in BETAS
        for lattices, height in (("input", 0.9), ("autoencoder", 0.8), ("decimated", 0.95))
        for boundary in ("crop", "periodic")
    ]
    columns = ["beta", "lattices", "boundary", "entropy_bits", "std_error"]
    return pd.DataFrame(rows, columns=columns)


def test_entropies_are_plotted_with_their_errors_in_the_panel_of_their_boundary():
    table = entropies()
    panels = local_entropy(table).axes
    for axes, boundary in zip(panels, ("crop", "periodic")):
        drawn = {each.get_label(): each for each in axes.containers}
        rows = table[(table["boundary"] == boundary) & (table["lattices"] == "decimated")]
        points, _, (bars,) = drawn["lattices decimated twice"]
        np.testing.assert_array_equal(points.get_ydata(), rows["entropy_bits"])
        assert points.get_color() == nets.LATTICE_COLOURS["decimated"]
        lengths = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
        np.testing.assert_allclose(lengths, 0.02)


def test_the_critical_point_of_the_entropies_is_the_exact_one():
    assert math.sinh(2 * BETA_CRITICAL) == pytest.approx(1, abs=1e-15)
    axes = local_entropy(entropies()).axes[0]
    assert any(
        list(each.get_xdata()) == [BETA_CRITICAL, BETA_CRITICAL] for each in axes.get_lines()
    )


def readings(members=3) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = pd.DataFrame(
        [(b, 0.1 + 0.8 * b + 0.01 * m, 0.01, m) for b in BETAS for m in range(members)],
        columns=["beta", "beta_predicted", "std_error", "member"],
    )
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
    figure = thermometer(*readings(members))
    residual = next(axes for axes in figure.axes if axes.get_ylabel() == "predicted − actual")
    drawn = line(residual, "mean of the members")
    offset = 0.01 * (members - 1) / 2
    np.testing.assert_allclose(drawn.get_ydata(), 0.1 - 0.2 * BETAS + offset)
    assert f"{members} independently trained members" in figure.get_supxlabel()


def test_every_member_of_the_thermometer_is_plotted_with_its_error():
    axes = thermometer(*readings(4)).axes[0]
    assert len(axes.containers) == 4


def test_missing_numbers_leave_gaps_and_do_not_crash():
    table, training = readings()
    table.loc[:2, "beta_predicted"] = np.nan
    training.loc[0, "loss"] = np.nan
    thermometer(table, training).draw_without_rendering()
    flow = flow_table()
    flow.loc[flow["beta"] == BETAS[0], "beta_predicted"] = np.nan
    beta_flow(flow, fixed_points()).draw_without_rendering()
    entropy = entropies()
    entropy.loc[:4, ["entropy_bits", "std_error"]] = np.nan
    local_entropy(entropy).draw_without_rendering()
