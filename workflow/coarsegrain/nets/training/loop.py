"""The loop over epochs: history, stopping, checkpoints, and numbers that go wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from coarsegrain.errors import TrainingError, TrainingStopped
from coarsegrain.nets.network import Layer, Network
from coarsegrain.nets.training.cpu.dense import DenseTrainer
from coarsegrain.nets.training.cpu.shallow import ShallowTrainer, is_shallow
from coarsegrain.nets.training.history import History
from coarsegrain.nets.training.settings import (
    Data,
    Member,
    TrainingSettings,
)
from coarsegrain.nets.training.trainer import MemberTrainer, OneByOne, Trainer
from coarsegrain.training.batches import epoch_order
from coarsegrain.training.checkpoint import Checkpoint

Progress = Callable[[int, float], None] | None
Asked = Callable[[], bool]


@dataclass(frozen=True)
class Trained:
    """What comes out of a training."""

    network: Network
    history: History

    def table(self, settings: TrainingSettings) -> pd.DataFrame:
        """The history as a table."""
        return self.history.table(settings)


@dataclass
class _Run:
    """A member on its way."""

    member: Member
    history: History = field(default_factory=History)
    objective_at_start: float = 0.0
    layers: tuple[Layer, ...] = ()


def train(
    network: Network,
    data: Data,
    validation: Data,
    settings: TrainingSettings,
    *,
    seed: int,
    frozen: int = 0,
    device: str = "cpu",
    precision: str = "float32",
    threads: int = 1,
    progress: Progress = None,
) -> tuple[Network, pd.DataFrame]:
    """Train a net's layers from ``frozen`` on: ``train_members`` for a single one.

    Returns:
        The trained net and its history (``History.table``).
    """
    member = Member(network, data, validation, seed)
    (trained,) = train_members(
        [member],
        settings,
        frozen=frozen,
        device=device,
        precision=precision,
        threads=threads,
        progress=progress,
    )
    return trained.network, trained.table(settings)


def train_members(
    members: Sequence[Member],
    settings: TrainingSettings,
    *,
    frozen: int = 0,
    device: str = "cpu",
    precision: str = "float32",
    threads: int = 1,
    progress: Progress = None,
    asked_to_stop: Asked = lambda: False,
) -> list[Trained]:
    """Train members of a net, each as if it were alone.

    Args:
        members: of one net: equal sizes and activations.
        settings: loss, optimizer, length.
        frozen: number of leading layers that stay as they are.
        device: ``cpu`` or ``cuda``.
        precision: ``float32`` or ``float64``.
        threads: of the kernels for nets of one layer, whose result does not depend on it. Others
            train in one.
        progress: called after every epoch with its number (from 1) and training objective.
        asked_to_stop: asked after every epoch.
    Returns:
        For every member the trained net and its history.
    Raises:
        TrainingError: an objective is no longer finite, or has grown a thousandfold; names member,
            epoch and last good checkpoint.
        TrainingStopped: asked to stop; what has been done is in the checkpoints.
    """
    runs = [_Run(member) for member in members]
    trainer = _trainer(members, settings, frozen, device, precision, threads)
    at_start = trainer.evaluate()[:, 1] + trainer.penalties()
    for k, run in enumerate(runs):
        run.objective_at_start = float(at_start[k])
        _go_on_from_checkpoint(trainer, k, run)

    going = _set_aside_ended(trainer, runs, settings)
    while going:
        _run_epoch(trainer, going, settings)
        if progress is not None:
            objectives = [run.history.objectives[-1, 0] for run in going]
            epoch = min(run.history.epochs for run in going)
            progress(epoch, float(sum(objectives) / len(objectives)))
        stop = asked_to_stop()
        for k, run in enumerate(going):
            checkpoint = run.member.checkpoint
            if checkpoint is not None and (stop or checkpoint.is_due()):
                checkpoint.save(Checkpoint(run.history.values, trainer.state(k)))
        going = _set_aside_ended(trainer, going, settings)
        if stop and going:
            raise TrainingStopped(_told_on_stopping(going[0], settings))
    return [Trained(_whole(run, frozen, precision), run.history) for run in runs]


def _whole(run: _Run, frozen: int, precision: str) -> Network:
    """The frozen layers, in the precision of the others, and the trained ones."""
    kept = (
        Layer(layer.weight.astype(precision), layer.bias, layer.activation)
        for layer in run.member.network.layers[:frozen]
    )
    return Network((*kept, *run.layers))


def _trainer(
    members: Sequence[Member],
    settings: TrainingSettings,
    frozen: int,
    device: str,
    precision: str,
    threads: int,
) -> Trainer:
    """The code that trains these members fastest on this device."""
    shallow = all(is_shallow(member, settings, frozen) for member in members)
    if device == "cuda":  # imported here: a job on a CPU needs neither torch nor CuPy
        if shallow:
            from coarsegrain.nets.training.gpu.shallow_cuda import ShallowCudaTrainer

            return ShallowCudaTrainer(members, settings, precision=precision)
        from coarsegrain.nets.training.gpu.stacked import StackedTrainer

        return StackedTrainer(members, settings, frozen=frozen, precision=precision)

    def alone(member: Member) -> MemberTrainer:
        if shallow:
            return ShallowTrainer(member, settings, precision=precision, threads=threads)
        return DenseTrainer(member, settings, frozen=frozen, precision=precision)

    return OneByOne([alone(member) for member in members])


def _go_on_from_checkpoint(trainer: Trainer, k: int, run: _Run) -> None:
    file = run.member.checkpoint
    at_start = Checkpoint(run.history.values, trainer.state(k))
    found = None if file is None else file.load(like=at_start)
    if found is None:
        return
    trainer.restore(k, found.tensors)
    run.history = History(found.history)
    print(f"{run.member.name}: going on after epoch {run.history.epochs}", flush=True)


def _run_epoch(trainer: Trainer, runs: Sequence[_Run], settings: TrainingSettings) -> None:
    """One epoch of every member, into its history."""
    numbers = [len(run.member.data[0]) for run in runs]
    orders = [
        epoch_order(run.member.seed, run.history.epochs + 1, number)
        for run, number in zip(runs, numbers)
    ]
    steps = [
        run.history.epochs * -(-number // settings.batch_size) for run, number in zip(runs, numbers)
    ]
    with np.errstate(over="ignore", invalid="ignore"):  # told below, once
        train_losses = trainer.run_epoch(orders, steps)
        validation_losses, penalties = trainer.evaluate(), trainer.penalties()
    for k, run in enumerate(runs):
        run.history.append(train_losses[k], validation_losses[k], float(penalties[k]))
        wrong = run.history.wrong(run.objective_at_start)
        if wrong:
            kept = run.member.checkpoint or "no checkpoints were asked for"
            raise TrainingError(
                f"{run.member.name}: {wrong} in epoch {run.history.epochs}; {kept}."
            )


def _set_aside_ended(
    trainer: Trainer, runs: Sequence[_Run], settings: TrainingSettings
) -> list[_Run]:
    """The members that go on; the layers of the others are kept."""
    going = []
    for k, run in enumerate(runs):
        if run.history.ended_by(settings):
            run.layers = trainer.layers(k)
        else:
            going.append(k)
    if len(going) < len(runs):
        trainer.keep(going)
    return [runs[k] for k in going]


def _told_on_stopping(run: _Run, settings: TrainingSettings) -> str:
    done = f"{run.member.name}: stopped after epoch {run.history.epochs} of {settings.epochs}"
    if run.member.checkpoint is None or run.member.checkpoint.epoch < run.history.epochs:
        return f"{done}; what was trained is lost, since no checkpoint was kept."
    return f"{done}; run again to go on from there."
