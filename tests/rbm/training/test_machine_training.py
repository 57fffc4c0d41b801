"""The loop over updates: batches, records, checkpoints; and what a history shows."""

import itertools

import numpy as np
import pandas as pd
import pytest
from machine_enumeration import free, states

from coarsegrain.errors import TrainingError, TrainingStopped
from coarsegrain.rbm.machine import FreeMachine, TiedMachine, log_weight
from coarsegrain.rbm.pseudo_likelihood import log_pseudo_likelihood
from coarsegrain.rbm.training.history import (
    convergence,
    mean_and_error,
    nearest_neighbours,
)
from coarsegrain.rbm.training.loop import Seeds, batches, random_machine, train
from coarsegrain.rbm.training.settings import TrainingSettings
from coarsegrain.training.checkpoint import CheckpointFile

SETTINGS = TrainingSettings(updates=24, batch=10, chains=12, gibbs_steps=2, l1=1e-3)


def lattices(n=50, L=4, seed=1):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, L, L))


def machine(kind):
    shape = (16, 5) if kind == "free" else (1, 4, 4)
    return random_machine(shape, 4, spread=0.1, seed=2)


def trained(kind, **options):
    return train(
        machine(kind), lattices(), lattices(20, seed=3), SETTINGS, seeds=Seeds(2, 3, 4), records=8,
        **options,
    )  # fmt: skip


def weights(machine):
    return machine.kernels if isinstance(machine, TiedMachine) else machine.weights


@pytest.mark.parametrize("kind", ["free", "tied"])
def test_a_stopped_training_goes_on_with_the_same_bits(kind, tmp_path):
    whole, history = trained(kind)
    asked = iter([False, False, True])
    file = CheckpointFile(tmp_path / "checkpoint.safetensors", seconds=1e9)
    with pytest.raises(TrainingStopped, match="after update 9 of 24; run again to go on"):
        trained(kind, checkpoint=file, asked_to_stop=lambda: next(asked))
    again, later = trained(kind, checkpoint=CheckpointFile(file.path, seconds=1e9))
    np.testing.assert_array_equal(weights(again), weights(whole))
    pd.testing.assert_frame_equal(later, history, check_exact=True)


def test_a_training_is_a_function_of_its_seeds():
    first, _ = trained("tied")
    again, _ = trained("tied")
    np.testing.assert_array_equal(weights(first), weights(again))
    for seeds in (Seeds(2, 3, 5), Seeds(2, 4, 4)):
        other, _ = train(
            machine("tied"), lattices(), lattices(20), SETTINGS, seeds=seeds, records=8
        )
        assert (weights(other) != weights(first)).any()


def test_a_training_without_a_checkpoint_says_that_it_is_lost():
    with pytest.raises(TrainingStopped, match="what was trained is lost"):
        trained("tied", asked_to_stop=lambda: True)


def test_numbers_that_are_not_finite_end_a_training():
    start = FreeMachine(np.full((16, 5), 3e38, np.float32))
    with pytest.raises(TrainingError, match="a number is not finite after update 3"):
        train(start, lattices(), lattices(20), SETTINGS, seeds=Seeds(2, 3, 4), records=8)


@pytest.mark.parametrize("first", [0, 1, 3, 7, 12])
def test_batches_go_through_shuffled_epochs_and_can_start_anywhere(first):
    all_rows = np.concatenate(list(itertools.islice(batches(5, 7, 3, 0), 14)))
    for epoch in all_rows.reshape(6, 7):
        assert sorted(epoch) == list(range(7))
    found = np.concatenate(list(itertools.islice(batches(5, 7, 3, first), 2)))
    np.testing.assert_array_equal(found, all_rows[3 * first : 3 * first + 6])


def test_a_batch_may_be_larger_than_the_data():
    rows = next(batches(5, 4, 10, 0))
    assert np.bincount(rows).sum() == 10
    assert set(np.bincount(rows)) <= {2, 3}


def test_learning_rate_is_held_and_then_falls_to_zero():
    settings = TrainingSettings(updates=100, learning_rate=0.5)
    rates = [settings.learning_rate_of(k) for k in range(101)]
    assert rates[:51] == [0.5] * 51
    np.testing.assert_allclose(rates[50:], 0.5 * np.linspace(1, 0, 51) ** 2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"updates": 0}, "updates is 0"), ({"l1": -1.0}, "l1"), ({"learning_rate": 0.0}, "rate")],
)
def test_settings_of_no_training_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        TrainingSettings(**{"updates": 1, **wrong})


@pytest.mark.parametrize("biased", [False, True])
def test_pseudo_likelihood_is_that_of_turned_units(biased):
    found = free(4, 3)
    if biased:
        found = FreeMachine(found.weights, np.array([0.1, -0.2, 0.3, 0.0]), np.ones(3))
    v = states(4)[[0, 3, 9]]
    total = 0.0
    for unit in range(4):
        turned = v.copy()
        turned[:, unit] *= -1
        total -= np.log1p(np.exp(log_weight(found, turned) - log_weight(found, v))).sum()
    assert log_pseudo_likelihood(found, v) == pytest.approx(total / 12, rel=1e-12)


def test_pseudo_likelihood_of_some_units_is_their_mean():
    found = machine("tied")
    v = lattices(6)
    single = [log_pseudo_likelihood(found, v, np.array([unit])) for unit in range(16)]
    assert log_pseudo_likelihood(found, v) == pytest.approx(np.mean(single), rel=1e-12)
    assert log_pseudo_likelihood(found, v, np.array([3, 7])) == pytest.approx(
        (single[3] + single[7]) / 2, rel=1e-12
    )


def test_mean_of_neighbours_of_known_lattices():
    checkerboard = np.where(np.indices((4, 4)).sum(axis=0) % 2, 1, -1).astype(np.int8)
    stripes = np.where(np.indices((4, 4))[0] % 2, 1, -1).astype(np.int8)
    assert nearest_neighbours(checkerboard.reshape(1, 16)) == -1
    assert nearest_neighbours(stripes.reshape(1, 16)) == 0
    assert nearest_neighbours(np.ones((2, 16), np.int8)) == 1


def test_error_of_a_mean_counts_correlations():
    rng = np.random.default_rng(1)
    independent = rng.normal(size=(400, 200))
    errors = [mean_and_error(row)[1] for row in independent]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1 / np.sqrt(200), rel=0.06)
    sticky = np.repeat(independent[:, :20], 20, axis=1)
    errors = [mean_and_error(row)[1] for row in sticky]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1 / np.sqrt(20), rel=0.06)


def history(gap, gain, noise=1e-6):
    rng = np.random.default_rng(2)
    number = 40
    return pd.DataFrame(
        {
            "data_vwh": 50 + gap + rng.normal(0, noise, number),
            "chain_vwh": 48.0,
            "penalty": 2.0,
            "pseudo_likelihood": np.repeat([-0.6, -0.5, -0.4, -0.4 + gain], [10, 20, 5, 5])
            + rng.normal(0, noise, number),
        }
    )


@pytest.mark.parametrize(
    ("gap", "gain", "noise", "shown"),
    [
        (0.0, 0.0, 1e-6, True),
        (0.09, 9e-4, 1e-6, True),
        (0.2, 0.0, 1e-6, False),
        (0.0, 0.01, 1e-6, False),
        (0.2, 0.0, 1.0, True),
    ],
)
def test_convergence_is_shown_by_the_gap_and_the_pseudo_likelihood(gap, gain, noise, shown):
    found = convergence(history(gap, gain, noise))
    assert found.shown == shown
    if noise < 0.1:
        assert found.gap == pytest.approx(gap, abs=1e-5)
        assert found.gain == pytest.approx(gain, abs=1e-5)


def test_a_gap_that_drifts_through_zero_is_not_at_rest():
    drifting = history(0.0, 0.0)
    drifting.loc[30:, "data_vwh"] += np.linspace(-1, 1, 10)  # its mean over the quarter is 0
    assert not convergence(drifting).shown


def test_weights_that_have_hardly_moved_are_not_at_rest():
    before_training = history(0.09, 0.0)
    for column in ("data_vwh", "chain_vwh"):
        before_training[column] -= 49.9
    assert not convergence(before_training).shown


def test_a_short_history_shows_nothing():
    assert convergence(history(0, 0).head(15)) is None


def test_a_converged_training_says_so_and_a_short_one_does_not():
    p = np.exp(0.4 * (states(9) * np.roll(states(9), 1, axis=1)).sum(axis=1))
    data = states(9)[np.random.default_rng(4).choice(512, size=4000, p=p / p.sum())]
    for updates, shown in ((3000, True), (60, False)):
        settings = TrainingSettings(
            updates=updates, batch=100, chains=100, learning_rate=1e-2, l1=1e-2
        )
        start = random_machine((9, 9), 3, spread=0.05, seed=1)
        _, table = train(start, data, data[:200], settings, seeds=Seeds(1, 2, 3), records=40)
        assert convergence(table).shown == shown, table
