"""The figures of blocking and of the temperature flow show the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.rbm.blocking import KINDS, blocking
from coarsegrain.figures.rbm.receptive_fields import (
    MOST_TIMES,
    chosen_units,
    cover,
    receptive_field_pictures,
)
from coarsegrain.figures.rbm.temperature_flow import temperature_flow
from coarsegrain.ising.critical_point import BETA_CRITICAL

RNG = np.random.default_rng(1)


def fields(units=12, L=8):
    """Unit k is spread over k + 1 sites."""
    made = np.zeros((units, L * L))
    for k in range(units):
        made[k, : k + 1] = (-1) ** k * 0.5
    return made.reshape(-1, L, L)


def test_units_are_chosen_at_equal_steps_from_the_most_local_to_the_least():
    mixed = RNG.permutation(12)
    assert [int(mixed[unit]) for unit in chosen_units(fields()[mixed], 4)] == [0, 4, 7, 11]
    assert chosen_units(fields(3), 8) == [0, 1, 2]
    assert chosen_units(fields(), 1) == [0]


def test_units_without_weights_are_not_chosen():
    few = np.zeros((12, 8, 8))
    few[[5, 9]] = fields(12)[[3, 1]]
    assert chosen_units(few, 4) == [9, 5]
    assert chosen_units(np.zeros((3, 8, 8)), 4) == [0]


def test_the_number_of_units_with_weights_is_told_where_some_have_none():
    few = np.concatenate([fields(2), np.zeros((3, 8, 8))])
    figure = receptive_field_pictures({"all": fields(), "few": few, "none": few[2:]}, 4)
    words = [figure.axes[at].get_ylabel() for at in (0, 5, 10)]
    assert words == ["all\n|w| ≤ 0.5", "few\n2 of 5 units\n|w| ≤ 0.5", "none\nno weights"]


def test_covers_of_different_numbers_of_windows_have_different_greys():
    pictures = receptive_field_pictures({"a": fields()}, 1).axes[1].images[0]
    greys = pictures.cmap(pictures.norm(np.arange(MOST_TIMES + 2)))
    assert (np.diff(greys[:, 0]) < -0.05).all()


def test_pictures_are_the_fields_on_a_scale_of_their_row():
    figure = receptive_field_pictures({"a": fields(), "b": 3 * fields(2)}, 4)
    first = figure.axes[0].images[0]
    np.testing.assert_array_equal(first.get_array(), fields()[0])
    assert first.get_clim() == (-0.5, 0.5)
    assert figure.axes[5].images[0].get_clim() == (-1.5, 1.5)
    assert not figure.axes[7].get_visible()  # the second machine has two units only


def test_the_cover_counts_windows_over_every_site():
    blocks = np.zeros((3, 8, 8))
    blocks[:2, 7:, 7:] = blocks[:2, :1, :1] = blocks[:2, 7:, :1] = blocks[:2, :1, 7:] = 1.0
    times = cover(blocks)
    assert times[0, 0] == times[7, 7] == times[0, 7] == 2
    assert times.sum() == 8  # the third unit has no weights and no window


def test_machines_without_weights_are_drawn():
    receptive_field_pictures({"nothing": np.zeros((3, 8, 8))}, 3).draw_without_rendering()


def table():
    rows = [
        (machine, member, weights, 16, 2 * member, 0.1 + at + shift, 0.2 + at + shift, 30.0,
         0.4 + at, 0.6, 0.05, 0.5 + at, 0.9, 0.02)
        for at, machine in zip((0.0, 0.3), ("L1 0", "L1 0.01"))
        for member in range(3)
        for weights, shift in (("trained", 0.2), ("shuffled", 0.0))
    ]  # fmt: skip
    columns = [
        "machine", "member", "weights", "units", "silent", "share_2x2", "share_4x4",
        "participation", "covered_2x2", "random_2x2", "random_sd_2x2", "covered_4x4",
        "random_4x4", "random_sd_4x4",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def line(axes, label):
    (found,) = (each for each in axes.get_lines() if each.get_label() == label)
    return found


def test_shares_are_those_of_the_table_for_every_member():
    axes = blocking(table()).axes[0]
    for kind, (_, _, words) in KINDS.items():
        rows = table()[table()["weights"] == kind]
        np.testing.assert_array_equal(line(axes, words).get_ydata(), rows["share_2x2"])
        assert set(np.round(line(axes, words).get_xdata())) == {0, 1}
    assert [each.get_text() for each in axes.figure.axes[3].get_xticklabels()] == [
        "L1 0", "L1 0.01",
    ]  # fmt: skip


def test_participation_has_no_shuffled_points_and_covers_have_random_ones():
    figure = blocking(table())
    assert [each.get_label() for each in figure.axes[2].get_lines()] == ["trained", "block spins"]
    assert figure.axes[2].get_yscale() == "log"
    words = [each.get_text() for each in figure.legends[0].get_texts()]
    assert sorted(words) == sorted(
        [*(each[2] for each in KINDS.values()), "at random", "block spins"]
    )
    (bars,) = figure.axes[3].containers
    np.testing.assert_allclose(bars.lines[0].get_ydata().tolist(), [0.6, 0.6])
    np.testing.assert_allclose(line(figure.axes[5], "trained").get_ydata()[:3], [0, 2 / 16, 4 / 16])


def flows(**columns):
    rows = [
        (machine, member, step, beta, 0.4 + (beta - 0.4) / (1 + step) + 0.01 * member, 0.002,
         np.nan if step == 1 else 0.3, 0.01)
        for machine in ("wide", "low")
        for member in range(2)
        for beta in (0.2, 0.5)
        for step in (0, 1, 10)
    ]  # fmt: skip
    names = [
        "machine", "member", "step", "beta_in", "beta_E", "beta_E_error", "beta_R", "beta_R_error",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names).assign(**columns)


def test_flows_are_the_means_of_members_with_the_larger_of_both_errors():
    figure = temperature_flow(flows())
    assert len(figure.axes) == 4
    axes = figure.axes[0]
    drawn = {each.get_label(): each for each in axes.containers}["β = 0.2"]
    points, _, (bars,) = drawn
    np.testing.assert_allclose(points.get_ydata().tolist(), [0.205, 0.305, 0.4 - 0.2 / 11 + 0.005])
    np.testing.assert_allclose([np.ptp(each[:, 1]) for each in bars.get_segments()], 0.01)
    assert any(list(each.get_ydata()) == [BETA_CRITICAL] * 2 for each in axes.get_lines())


def test_the_range_of_training_is_shaded_and_a_third_thermometer_has_a_row():
    figure = temperature_flow(
        flows(beta_low=0.1, beta_high=0.35, beta_net=0.4, beta_net_error=0.01)
    )
    assert len(figure.axes) == 6
    (span,) = figure.axes[0].patches
    assert (span.get_y(), span.get_height()) == pytest.approx((0.1, 0.25))
    figure.draw_without_rendering()
