import numpy as np
import pandas as pd
import pytest

from coarsegrain.figures.autoencoder import nets
from coarsegrain.figures.autoencoder.autoencoder_wide_range_losses import (
    autoencoder_wide_range_losses,
)
from coarsegrain.figures.autoencoder.loss_curves import FLOORS, loss_curves
from coarsegrain.figures.autoencoder.member_curves import LONG_TRAINING

MODELS = ("Model-1", "Model-2", "Model-2-CG")


def histories(models=MODELS, members=3, epochs=4) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (model, member, epoch, split, 0.2 + rng.random() / (epoch + 1))
        for model in models
        for member in range(members)
        for epoch in range(1, epochs + 1)
        for split in ("train", "validation")
    ]
    table = pd.DataFrame(rows, columns=["model", "member", "epoch", "split", "hinge"])
    return table.assign(objective=table["hinge"] + 0.1)


def final_losses(members=3) -> pd.DataFrame:
    rows = [
        (model, member, split, hinge + 0.01 * member)
        for model, hinge in (("Model-1", 0.2), ("Model-3", 0.5), ("Model-3-HCG", 0.4))
        for member in range(members)
        for split in ("train", "validation", "test")
    ]
    table = pd.DataFrame(rows, columns=["model", "member", "split", "hinge"])
    return table.assign(objective=table["hinge"])


def floors() -> pd.DataFrame:
    rows = [
        (encoder, member, hinge + 0.001 * member)
        for encoder, hinge in (("decimation", 0.23), ("principal components", 0.15), ("other", 0.4))
        for member in range(3)
    ]
    return pd.DataFrame(rows, columns=["encoder", "member", "hinge_best_gain"])


def line(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


@pytest.mark.parametrize(
    ("split", "title"),
    [("train", "Hinge, training lattices"), ("validation", "Hinge, validation lattices")],
)
@pytest.mark.parametrize("model", MODELS)
def test_strong_lines_are_the_means_over_members(model, split, title):
    history = histories()
    drawn = line(
        panel(loss_curves(history, final_losses(), floors()), title), nets.NET_LABELS[model]
    )
    rows = history[(history["model"] == model) & (history["split"] == split)]
    expected = rows.groupby("epoch")["hinge"].mean()
    np.testing.assert_array_equal(drawn.get_xdata(), expected.index)
    np.testing.assert_allclose(drawn.get_ydata(), expected, rtol=1e-15)
    assert drawn.get_color() == nets.NET_COLOURS[model]


def test_bands_reach_from_the_smallest_to_the_largest_member():
    history = histories(models=["Model-1"])
    axes = panel(loss_curves(history, final_losses(), floors()), "Hinge, training lattices")
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    rows = history[history["split"] == "train"].groupby("epoch")["hinge"]
    assert set(np.round(heights, 12)) == set(np.round([*rows.min(), *rows.max()], 12))


def test_transferred_models_are_horizontal_lines_at_their_mean_final_loss():
    axes = panel(loss_curves(histories(), final_losses(), floors()), "Hinge, validation lattices")
    for model, mean in (("Model-3", 0.51), ("Model-3-HCG", 0.41)):
        drawn = line(axes, nets.NET_LABELS[model])
        np.testing.assert_allclose(drawn.get_ydata(), mean)
        assert drawn.get_color() == nets.NET_COLOURS[model]


def test_the_objective_has_its_penalty_and_no_floor():
    history = histories()
    axes = panel(
        loss_curves(history, final_losses(), floors()), "Objective (hinge + L1 penalty), validation"
    )
    rows = history[(history["model"] == "Model-2") & (history["split"] == "validation")]
    expected = rows.groupby("epoch")["objective"].mean()
    np.testing.assert_allclose(line(axes, nets.NET_LABELS["Model-2"]).get_ydata(), expected)
    labels = axes.get_legend_handles_labels()[1]
    assert not {label for _, label in FLOORS.values()} & set(labels)


def test_linear_codes_are_horizontal_lines_at_their_mean_loss():
    axes = panel(loss_curves(histories(), final_losses(), floors()), "Hinge, training lattices")
    for encoder, mean in (("decimation", 0.231), ("principal components", 0.151)):
        np.testing.assert_allclose(line(axes, FLOORS[encoder][1]).get_ydata(), mean)


def test_the_lower_row_shows_all_losses_of_the_last_half_and_no_more():
    history = histories(epochs=10)
    history.loc[history["epoch"] <= 5, ["hinge", "objective"]] += 5  # what it must not show
    figure = loss_curves(history, final_losses(), floors())
    ends = [axes for axes in figure.axes if axes.get_title(loc="left") == "The end of it"]
    late = history[(history["epoch"] > 5)]
    assert len(ends) == 3
    for axes, column in zip(ends, ("hinge", "hinge", "objective")):
        low, high = axes.get_ylim()
        split = "train" if axes is ends[0] else "validation"
        shown = late.loc[late["split"] == split, column]
        assert low < shown.min() < shown.max() < high
        assert axes.get_xlim()[0] >= 5


def test_the_legend_names_each_net():
    figure = loss_curves(histories(), final_losses(), floors())
    legend = next(axes.get_legend() for axes in figure.axes if axes.get_legend())
    words = {text.get_text() for text in legend.get_texts()}
    assert words == {*nets.NET_LABELS.values(), *(label for _, label in FLOORS.values())}


def test_the_papers_losses_are_marked_in_the_colour_of_their_model():
    axes = panel(loss_curves(histories(), final_losses(), floors()), "Hinge, training lattices")
    marks = {
        float(mark.get_ydata()[0]): mark.get_color()
        for mark in axes.get_lines()
        if mark.get_marker() == "<"
    }
    assert marks == {
        0.275: nets.NET_COLOURS["Model-1"],
        0.338: nets.NET_COLOURS["Model-2"],
        0.600: nets.NET_COLOURS["Model-3"],
    }


@pytest.mark.parametrize("members", [2, 10])
def test_the_number_of_members_is_stated(members):
    note = loss_curves(histories(members=members), final_losses(members), floors()).get_supxlabel()
    assert f"mean of {members} members" in note


def test_a_history_of_one_epoch_is_a_visible_marker():
    axes = panel(
        loss_curves(histories(epochs=1), final_losses(), floors()), "Hinge, training lattices"
    )
    assert line(axes, nets.NET_LABELS["Model-1"]).get_marker() == "o"


def test_a_long_training_is_drawn_on_a_logarithmic_axis():
    history = histories(models=["Model-1"], members=2, epochs=LONG_TRAINING + 1)
    axes = panel(loss_curves(history, final_losses(), floors()), "Hinge, training lattices")
    assert axes.get_xscale() == "log"
    assert "logarithmic" in axes.get_xlabel()


def test_members_without_a_number_leave_the_mean_of_the_others():
    history = histories(models=["Model-1"], members=2)
    history.loc[history["member"] == 1, "hinge"] = np.nan
    axes = panel(loss_curves(history, final_losses(), floors()), "Hinge, training lattices")
    drawn = line(axes, nets.NET_LABELS["Model-1"]).get_ydata()
    rows = history[(history["split"] == "train") & (history["member"] == 0)]
    np.testing.assert_array_equal(drawn, rows["hinge"])


def test_wide_range_losses_are_both_in_the_nets_colour_and_differ_in_style():
    history = histories(models=["AE-WR"])
    axes = autoencoder_wide_range_losses(history).axes[0]
    training, validation = line(axes, "training lattices"), line(axes, "validation lattices")
    assert training.get_color() == validation.get_color() == nets.NET_COLOURS["AE-WR"]
    assert training.get_linestyle() != validation.get_linestyle()
    expected = history[history["split"] == "validation"].groupby("epoch")["hinge"].mean()
    np.testing.assert_allclose(validation.get_ydata(), expected, rtol=1e-15)
    words = " ".join(text.get_text() for text in axes.texts)
    assert "0.347 training" in words
    assert "0.357 validation" in words
