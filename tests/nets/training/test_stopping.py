"""What ends a training, and that the history says so."""

import dataclasses

import numpy as np
import pytest

from coarsegrain.nets.training import TrainingSettings
from coarsegrain.nets.training.history import History

SETTINGS = TrainingSettings(
    loss="hinge", l1=0.0, learning_rate=1e-3, adam_betas=(0.9, 0.999), adam_epsilon=1e-7,
    batch_size=8, epochs=100, plateau_epochs=3, plateau_tolerance=0.01,
)  # fmt: skip


def history(validation, train=None):
    """A history with these validation losses, penalty 0.25."""
    made = History()
    for k, loss in enumerate(validation):
        train_loss = loss if train is None else train[k]
        made.append(np.full(2, train_loss), np.full(2, loss), 0.25)
    return made


def ended_at(validation, settings=SETTINGS, **options):
    """The first epoch after which training ends, and by what."""
    for epochs in range(1, len(validation) + 1):
        ended_by = history(validation[:epochs], **options).ended_by(settings)
        if ended_by:
            return epochs, ended_by
    return None


def test_a_training_on_a_plateau_ends():
    falling = [1 - 0.1 * k for k in range(6)]
    assert ended_at([*falling, *[0.5] * 10]) == (11, "plateau")


def test_the_plateau_is_judged_by_means_relative_to_the_objective():
    # Means of three epochs fall from 1.25 by a little more, or less, than a hundredth of it.
    for fall, ended in ((0.0126, None), (0.0124, (6, "plateau"))):
        noise = np.array([0.3, -0.3, 0.0])
        assert ended_at([*(1 + noise), *(1 - fall + noise)]) == ended


def test_a_rising_validation_objective_is_a_plateau():
    assert ended_at([1 + 0.1 * k for k in range(20)], train=[1.0] * 20) == (6, "plateau")


def test_without_the_rule_all_epochs_are_made():
    settings = dataclasses.replace(SETTINGS, plateau_epochs=None, epochs=20)
    assert ended_at([1.0] * 30, settings) == (20, "epochs")


def test_a_loss_that_is_low_enough_ends_a_training():
    settings = dataclasses.replace(SETTINGS, stop_at_loss=0.5, plateau_epochs=None)
    train = [1.0, 0.51, 0.5, 0.4]
    assert ended_at([1.0] * 4, settings, train=train) == (3, "loss")


@pytest.mark.parametrize(
    ("changes", "losses", "said"),
    [
        ({"epochs": 4}, [1.0, 0.8, 0.6, 0.4], "epochs"),
        ({}, [1.0] * 6, "plateau"),
        ({"stop_at_loss": 0.5}, [1.0, 0.4], "loss"),
    ],
)
def test_the_last_row_of_the_history_says_what_ended_the_training(changes, losses, said):
    table = history(losses).table(dataclasses.replace(SETTINGS, **changes))
    assert table["ended_by"].tolist() == [""] * (2 * len(losses) - 2) + [said] * 2
    assert table["epoch"].tolist() == [epoch for epoch in range(1, len(losses) + 1) for _ in "12"]
    assert (table["objective"] == table["loss"] + 0.25).all()
