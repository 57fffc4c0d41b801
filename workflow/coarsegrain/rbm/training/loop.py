"""The loop over updates: batches, records, checkpoints, and numbers that go wrong."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.errors import TrainingError
from coarsegrain.rbm.machine import FreeMachine, Machine, TiedMachine
from coarsegrain.rbm.pseudo_likelihood import log_pseudo_likelihood
from coarsegrain.rbm.training.cpu.free import FreeTrainer
from coarsegrain.rbm.training.cpu.tied import TiedTrainer
from coarsegrain.rbm.training.history import NUMBERS, mean_and_error, nearest_neighbours, table
from coarsegrain.rbm.training.settings import TrainingSettings
from coarsegrain.training.batches import epoch_order
from coarsegrain.training.checkpoint import CheckpointFile
from coarsegrain.training.records import Resumable, ends_of, train_in_records

Spins = npt.NDArray[np.int8]

#: Lattices and visible units of which the pseudo-likelihood is computed.
JUDGED_LATTICES, JUDGED_UNITS = 200, 256


class Trainer(Resumable, Protocol):
    """Weights, moments, chains and data of one machine, on some device."""

    def update(self, update: int, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
        """An update with these lattices of the data: v W ⟨h⟩ of data and of chains."""

    def chains(self) -> Spins:
        """The chains' visible units, (chains, n_visible)."""

    def machine(self) -> Machine:
        """The machine as it is now."""


@dataclass(frozen=True)
class Seeds:
    """Of a training's random numbers: start of the weights, order of the data, chains."""

    start: int
    shuffling: int
    chains: int


def random_machine(
    shape: tuple[int, ...], L: int, *, spread: float, seed: int, stride: int = 2
) -> Machine:
    """A machine with small random weights, all alike between -√3 spread and √3 spread.

    Such weights are the same on every processor; normal ones need logarithms of the system's.

    Args:
        shape: (n_visible, n_hidden) of a free machine, (channels, n, n) of a tied one.
        L: side of the visible lattice of a tied machine.
        spread: standard deviation of the weights.
        seed: of the weights.
        stride: of a tied machine.
    """
    uniform = np.random.default_rng(seed).random(shape)
    weights = math.sqrt(3) * spread * (2 * uniform - 1)
    if len(shape) == 2:
        return FreeMachine(weights.astype(np.float32))
    return TiedMachine(weights.astype(np.float32), L, stride)


def batches(seed: int, number: int, batch: int, first: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of the batches from the update ``first`` on: one shuffled epoch after another.

    Args:
        seed: of the shuffling.
        number: lattices of the data.
        batch: rows per update.
        first: an update, counted from 0.
    """
    epoch, at = divmod(first * batch, number)
    order = epoch_order(seed, epoch + 1, number)
    while True:
        rows = order[at : at + batch]
        at += batch
        while len(rows) < batch:
            epoch, at = epoch + 1, batch - len(rows)
            order = epoch_order(seed, epoch + 1, number)
            rows = np.concatenate([rows, order[:at]])
        yield rows


def train(
    start: Machine,
    data: Spins,
    held_out: Spins,
    settings: TrainingSettings,
    *,
    seeds: Seeds,
    records: int = 50,
    device: str = "cpu",
    name: str = "machine",
    checkpoint: CheckpointFile | None = None,
    progress: Callable[[int, float], None] | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> tuple[Machine, pd.DataFrame]:
    """Train a machine.

    Args:
        start: the machine at the start, without biases.
        data: (n, n_visible) or (n, L, L) int8, ±1.
        held_out: the same, to judge by.
        settings: how to train.
        seeds: of random numbers.
        records: into which the updates are divided; checkpoints are at their ends.
        device: ``cpu`` or ``cuda``; also ``cpu by torch``, for tests.
        name: of the machine, in messages.
        checkpoint: where to keep what has been done.
        progress: called after every record with the updates so far and the pseudo-likelihood.
        asked_to_stop: asked after every record.
    Returns:
        The machine, in float32, and its history (``history.table``).
    Raises:
        TrainingError: a number is no longer finite.
        TrainingStopped: asked to stop; what has been done is in the checkpoint.
    """
    trainer = _trainer(start, data, settings, seeds.chains, device)
    ends, judge = ends_of(settings.updates, records), _Judge(data, held_out)

    def record(done: int, end: int) -> list[float]:
        rows = batches(seeds.shuffling, len(data), settings.batch, done)
        energies = np.array([trainer.update(k, next(rows)) for k in range(done, end)])
        numbers = judge.record(trainer, energies, settings, end)
        if not np.isfinite(numbers).all():
            raise TrainingError(f"{name}: a number is not finite after update {end}.")
        return numbers

    history = train_in_records(
        trainer,
        ends,
        record,
        columns=len(NUMBERS),
        told=NUMBERS.index("pseudo_likelihood"),
        name=name,
        noun="update",
        checkpoint=checkpoint,
        progress=progress,
        asked_to_stop=asked_to_stop,
    )
    return trainer.machine(), table(history, ends)


class _Judge:
    """What is recorded now and then."""

    def __init__(self, data: Spins, held_out: Spins) -> None:
        self._held_out = held_out[:JUDGED_LATTICES].reshape(len(held_out[:JUDGED_LATTICES]), -1)
        units = self._held_out.shape[1]
        self._units = np.sort(np.random.default_rng(0).permutation(units)[:JUDGED_UNITS])
        self._is_lattice = math.isqrt(units) ** 2 == units
        flat = data.reshape(len(data), -1)
        self._neighbours = nearest_neighbours(flat) if self._is_lattice else 0.0

    def record(
        self,
        trainer: Trainer,
        energies: npt.NDArray[np.float64],
        settings: TrainingSettings,
        done: int,
    ) -> list[float]:
        """The ``NUMBERS`` of a record."""
        machine = trainer.machine()
        weights = machine.kernels if isinstance(machine, TiedMachine) else machine.weights
        if not np.isfinite(weights).all():
            return [math.nan] * len(NUMBERS)
        return [
            settings.learning_rate_of(done - 1),
            *mean_and_error(energies[:, 0]),
            *mean_and_error(energies[:, 1]),
            settings.l1 * math.fsum(np.abs(weights).ravel().tolist()),
            float((weights == 0).mean()),
            log_pseudo_likelihood(machine, self._held_out, self._units),
            self._neighbours,
            nearest_neighbours(trainer.chains()) if self._is_lattice else 0.0,
        ]


def _trainer(
    start: Machine, data: Spins, settings: TrainingSettings, seed: int, device: str
) -> Trainer:
    if device != "cpu":  # imported here: a job on a CPU does not need torch
        from coarsegrain.rbm.training.gpu import TorchTrainer

        return TorchTrainer(start, data, settings, seed, "cuda" if device == "cuda" else "cpu")
    if isinstance(start, TiedMachine):
        return TiedTrainer(start, data, settings, seed)
    return FreeTrainer(start.weights, data, settings, seed)
