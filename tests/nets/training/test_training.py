"""Training against a reference optimizer written out in numpy, float64."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from coarsegrain.nets.losses import hinge
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training import (
    TrainingError,
    TrainingSettings,
    glorot_network,
    train,
)
from coarsegrain.nets.training.adam import adam_constants, adam_update, step_sizes
from coarsegrain.rg.decimation import decimate, decimation_matrix
from coarsegrain.training.batches import epoch_order

SETTINGS = TrainingSettings(
    loss="hinge", l1=1e-3, learning_rate=1e-2, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
    batch_size=8, epochs=4,
)  # fmt: skip
RNG = np.random.default_rng(0)
SPINS = RNG.choice(np.array([-1, 1], dtype=np.int8), size=(40, 4, 4))
TARGETS = decimate(SPINS, 1)
VALIDATION = (SPINS[:10], TARGETS[:10])


def fit(network, settings=SETTINGS, *, targets=TARGETS, **options):
    options = {"seed": 7, "precision": "float64", **options}
    return train(network, (SPINS, targets), (SPINS[:10], targets[:10]), settings, **options)


def reference_adam(weight, settings, seed):
    """Adam on hinge + λ Σ|w| of one linear layer, as Kingma & Ba write it (algorithm 1)."""
    x, t = SPINS.reshape(40, -1).astype(float), TARGETS.reshape(40, -1).astype(float)
    m, v, step = np.zeros_like(weight), np.zeros_like(weight), 0
    b1, b2 = settings.adam_betas
    for epoch in range(1, settings.epochs + 1):
        order = epoch_order(seed, epoch, 40)
        for batch in np.split(order, range(settings.batch_size, 40, settings.batch_size)):
            y = x[batch] @ weight
            slope = np.where(1 - t[batch] * y > 0, -t[batch], 0) / y.size
            gradient = x[batch].T @ slope + settings.l1 * np.sign(weight)
            step += 1
            m, v = b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient**2
            m_hat, v_hat = m / (1 - b1**step), v / (1 - b2**step)
            weight = weight - settings.learning_rate * m_hat / (
                np.sqrt(v_hat) + settings.adam_epsilon
            )
    return weight


@pytest.mark.parametrize("batch_size", [8, 16, 40])  # 16 leaves a smaller last batch
def test_training_follows_the_reference_optimizer(batch_size):
    settings = dataclasses.replace(SETTINGS, batch_size=batch_size)
    start = glorot_network([16, 8], ["linear"], biases=False, seed=1)
    trained, _ = fit(start, settings)
    expected = reference_adam(start.layers[0].weight, settings, seed=7)
    np.testing.assert_allclose(trained.layers[0].weight, expected, rtol=0, atol=1e-12)


def test_a_deep_nets_first_step_is_the_gradient_by_finite_differences():
    # Adam's very first step is learning_rate * g / (|g| + ε): it shows the gradient's sign, and
    # with a large ε, its size.
    epsilon = 1e6
    settings = dataclasses.replace(SETTINGS, batch_size=40, epochs=1, adam_epsilon=epsilon)
    start = glorot_network([16, 8, 16], ["tanh", "linear"], biases=True, seed=2)
    trained, _ = fit(start, settings, targets=SPINS)
    for k in range(2):
        before, after = start.layers[k].weight, trained.layers[k].weight
        gradient = (before - after) * epsilon / settings.learning_rate
        i, j = np.unravel_index(3 * k + 5, before.shape)

        def objective(change, k=k, i=i, j=j):
            weight = start.layers[k].weight.copy()
            weight[i, j] += change
            layers = list(start.layers)
            layers[k] = dataclasses.replace(layers[k], weight=weight)
            penalty = SETTINGS.l1 * sum(np.abs(layer.weight).sum() for layer in layers)
            return hinge(Network(tuple(layers))(SPINS), SPINS.reshape(40, -1)) + penalty

        numeric = (objective(1e-6) - objective(-1e-6)) / 2e-6
        assert gradient[i, j] == pytest.approx(numeric, rel=1e-3, abs=1e-7)


def test_frozen_layers_stay_and_the_rest_trains_as_if_fed_their_output():
    encoder = Layer(decimation_matrix(4, 1))
    decoder = glorot_network([8, 16], ["linear"], biases=False, seed=3)
    whole, history = fit(Network((encoder, *decoder.layers)), targets=SPINS, frozen=1)
    np.testing.assert_array_equal(whole.layers[0].weight, encoder.weight)
    alone, alone_history = train(
        decoder, (TARGETS, SPINS), (TARGETS[:10], SPINS[:10]), SETTINGS, seed=7, precision="float64"
    )
    np.testing.assert_allclose(whole.layers[1].weight, alone.layers[0].weight, rtol=0, atol=1e-12)
    pd.testing.assert_frame_equal(history, alone_history, rtol=1e-12)


def test_history_reports_the_objective_on_both_splits_and_its_parts():
    start = glorot_network([16, 8], ["linear"], biases=False, seed=1)
    trained, history = fit(start)
    assert list(history.columns) == [
        "epoch",
        "split",
        "hinge",
        "loss",
        "penalty",
        "objective",
        "ended_by",
    ]
    assert history["epoch"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    last = history.iloc[-1]
    assert last["split"] == "validation"
    assert (
        last["hinge"]
        == last["loss"]
        == pytest.approx(hinge(trained(VALIDATION[0]), VALIDATION[1].reshape(10, -1)), rel=1e-12)
    )
    penalty = SETTINGS.l1 * np.abs(trained.layers[0].weight).sum()
    assert last["penalty"] == pytest.approx(penalty, rel=1e-12)
    assert last["objective"] == last["loss"] + last["penalty"]


def test_history_keeps_the_hinge_beside_another_loss():
    start = glorot_network([16, 8], ["linear"], biases=False, seed=1)
    trained, history = fit(start, dataclasses.replace(SETTINGS, loss="mse"))
    outputs, wanted = trained(VALIDATION[0]), VALIDATION[1].reshape(10, -1)
    assert history.iloc[-1]["hinge"] == pytest.approx(hinge(outputs, wanted), rel=1e-12)
    assert history.iloc[-1]["loss"] == pytest.approx(((outputs - wanted) ** 2).mean(), rel=1e-12)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits_and_another_other_ones(precision):
    start = glorot_network([16, 8], ["tanh"], biases=False, seed=1)
    first, second, other = (
        fit(start, precision=precision, seed=seed)[0].layers[0].weight for seed in (7, 7, 8)
    )
    assert first.dtype == np.dtype(precision)
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("threads", [2, 3, 8, 20])
def test_nets_of_one_layer_are_the_same_bits_for_any_number_of_threads(threads):
    start = glorot_network([16, 8], ["linear"], biases=False, seed=1)
    (alone, history), (shared, shared_history) = (
        fit(start, precision="float32", threads=number) for number in (1, threads)
    )
    np.testing.assert_array_equal(alone.layers[0].weight, shared.layers[0].weight)
    assert history.equals(shared_history)


def test_training_ends_at_the_first_epoch_whose_loss_is_low_enough():
    settings = dataclasses.replace(SETTINGS, epochs=200, l1=0.0)
    start = glorot_network([16, 8], ["linear"], biases=False, seed=1)
    full = fit(start, settings)[1].query("split == 'train'")["loss"].to_numpy()
    threshold = full[50]
    stopped = fit(start, dataclasses.replace(settings, stop_at_loss=threshold))[1]
    assert stopped["epoch"].max() == 1 + int(np.argmax(full <= threshold))


def test_a_diverging_training_stops_and_names_the_epoch():
    start = glorot_network([16, 8], ["linear"], biases=False, seed=1)
    settings = dataclasses.replace(SETTINGS, loss="mse", learning_rate=1e200)
    with pytest.raises(TrainingError, match=r"objective is nan in epoch \d+; no checkpoints"):
        fit(start, settings)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_moments_without_a_gradient_decay_to_zero_and_not_to_denormal_numbers(precision):
    settings = dataclasses.replace(SETTINGS, l1=0.0)
    tiny = np.finfo(precision).tiny
    w, m, v = (
        np.ones((3, 4), precision),
        np.full((3, 4), -tiny / 2, precision),
        np.full((3, 4), tiny / 2, precision),
    )
    sizes, numbers = step_sizes(settings, 0, 1, precision)[0], adam_constants(settings, precision)
    adam_update(*(each.reshape(-1) for each in (w, m, v, np.zeros_like(w))), sizes, numbers)
    assert not m.any()
    assert not v.any()
    assert (w == 1).all()


def test_glorot_start_is_uniform_with_the_stated_limit():
    weight = glorot_network([300, 200], ["linear"], biases=False, seed=5).layers[0].weight
    limit = math.sqrt(6 / 500)
    assert abs(weight).max() < limit
    assert weight.std() == pytest.approx(limit / math.sqrt(3), rel=4 / math.sqrt(2 * weight.size))


@pytest.mark.slow
def test_a_trained_coarse_grainer_learns_decimation():
    rng = np.random.default_rng(3)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=(3000, 8, 8))
    kept = decimate(spins, 1)
    settings = dataclasses.replace(SETTINGS, l1=1e-5, learning_rate=1e-3, batch_size=20, epochs=30)
    start = glorot_network([64, 32], ["linear"], biases=False, seed=1)
    trained, _ = train(
        start, (spins[:2000], kept[:2000]), (spins[2000:2500], kept[2000:2500]), settings, seed=1
    )
    recovered = np.sign(trained(spins[2500:])) == kept[2500:].reshape(500, -1)
    assert recovered.mean() > 0.99
