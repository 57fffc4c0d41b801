"""What the training stages have in common: from a spec and data to a trained net."""

import hashlib
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.device import choose_device
from coarsegrain.errors import CoarsegrainError
from coarsegrain.nets.network import Activation, Network, write_network
from coarsegrain.nets.splits import split
from coarsegrain.nets.training import (
    Member,
    Trained,
    TrainingSettings,
    glorot_network,
    train_members,
)
from coarsegrain.nets.transfer import joined
from coarsegrain.threads import use_threads
from coarsegrain.training.checkpoint import CheckpointFile
from pipeline.gpus import take_device
from pipeline.progress import reporter
from pipeline.provenance import sha256
from pipeline.spec import canonical_json
from pipeline.stage import Outcome
from pipeline.together import read_trained


@dataclass(frozen=True)
class Task:
    """One member to train.

    Attributes:
        spec: net, member; sizes of the layers to train; settings (see ``TrainingSettings``);
            splits; start_seed, shuffling_seed; device, threads, precision.
        inputs: (n, …) lattices.
        targets: (n, …) what the net should make of them.
        activations: one per layer to train.
        read: the files that all this comes from.
        biases: whether the layers to train have biases.
        frozen: a net whose layers come first and stay as they are.
    """

    spec: Mapping[str, Any]
    inputs: npt.NDArray[np.generic]
    targets: npt.NDArray[np.generic]
    activations: Sequence[Activation]
    read: Sequence[Path]
    biases: bool = False
    frozen: Network | None = None

    def member(self, folder: Path, code: str, minutes: str) -> Member:
        """With its starting weights, its data, and the checkpoint it may go on from."""
        spec = self.spec
        parts = split(len(self.inputs), **spec["splits"])
        start = glorot_network(
            spec["sizes"], self.activations, biases=self.biases, seed=spec["start_seed"]
        )
        return Member(
            start if self.frozen is None else joined([self.frozen, start]),
            (self.inputs[parts.train], self.targets[parts.train]),
            (self.inputs[parts.validation], self.targets[parts.validation]),
            seed=spec["shuffling_seed"],
            name=f"{spec['net']}, member {spec['member']}",
            checkpoint=_checkpoint(folder, spec, code, self.read, minutes),
        )


def train_tasks(
    tasks: Sequence[Task], *, folder: Path, code: str, checkpoint_minutes: str
) -> tuple[list[Trained], Outcome]:
    """Train members of one net as their specs say, side by side where the device can.

    Args:
        tasks: alike but for their data and seeds.
        folder: where the nets go; checkpoints are kept beside them.
        code: digest of the code that trains.
        checkpoint_minutes: between two checkpoints, at least; 0: after every epoch.
    Returns:
        Every member's net and history, and what the stage ends with.
    """
    spec = tasks[0].spec
    use_threads(spec["threads"])
    settings = TrainingSettings(**spec["settings"])
    device = take_device(spec["device"], choose_device)
    members = [task.member(folder, code, checkpoint_minutes) for task in tasks]
    what = members[0].name if len(members) == 1 else f"{spec['net']}, {len(members)} members"
    frozen = tasks[0].frozen
    with _asked_to_stop() as asked_to_stop:
        trained = train_members(
            members,
            settings,
            frozen=0 if frozen is None else len(frozen.layers),
            device=device,
            precision=spec["precision"],
            threads=spec["threads"],
            progress=reporter(what, settings.epochs, "epochs"),
            asked_to_stop=asked_to_stop,
        )
    over = [
        path
        for task, member in zip(tasks, members)
        if member.checkpoint is not None
        for path in _checkpoints_of(member.checkpoint, task.spec["member"])
    ]
    facts = {"device": device, "training_ended": _ending(trained[0].table(settings), settings)}
    return trained, Outcome(facts, no_longer_needed=over)


def train_or_take(
    task: Task,
    together: Sequence[Path],
    *,
    network: Path,
    code: str,
    checkpoint_minutes: str,
) -> tuple[pd.DataFrame, Outcome]:
    """Train one member and write its net, or take it from where it was trained with others.

    Args:
        task: the member.
        together: the file of the members that it was trained with, or nothing.
        network: where the net goes.
        code: see ``train_tasks``.
        checkpoint_minutes: see ``train_tasks``.
    Returns:
        Its history with model and member in front, and what the stage ends with.
    """
    spec = task.spec
    settings = TrainingSettings(**spec["settings"])
    if together:
        trained = read_trained(together[0], spec["member"], task.frozen, task.activations)
        facts = {"training_ended": _ending(trained.table(settings), settings)}
        outcome = Outcome({**facts, "trained_in": str(together[0])})
    else:
        (trained,), outcome = train_tasks(
            [task], folder=network.parent, code=code, checkpoint_minutes=checkpoint_minutes
        )
    write_network(network, trained.network)
    history = trained.table(settings)
    history.insert(0, "model", spec["net"])
    history.insert(1, "member", spec["member"])
    return history, outcome


def _ending(history: pd.DataFrame, settings: TrainingSettings) -> str:
    last = history[history["split"] == "train"].iloc[-1]
    why = {
        "epochs": "all epochs are done",
        "loss": "its loss is low enough",
        "plateau": "the validation objective is on a plateau",
    }[last["ended_by"]]
    return (
        f"after epoch {last['epoch']} of at most {settings.epochs}, at a loss of "
        f"{last['loss']:.6f}: {why}"
    )


def _checkpoint(
    folder: Path, spec: Mapping[str, Any], code: str, read: Sequence[Path], minutes: str
) -> CheckpointFile:
    """Where a training is kept in between: the name follows from all that decides its result."""
    try:
        seconds = 60 * float(minutes)
    except ValueError:
        raise CoarsegrainError(
            f"--checkpoint-minutes is {minutes!r}; it must be a number of minutes."
        ) from None
    decides = canonical_json([spec, code, [sha256(path) for path in read]])
    key = hashlib.sha256(decides.encode()).hexdigest()[:16]
    return CheckpointFile(
        folder / "checkpoints" / f"member-{spec['member']}.{key}.safetensors", seconds
    )


def _checkpoints_of(checkpoint: CheckpointFile, member: int) -> list[Path]:
    """This training's checkpoint, those of earlier versions of it, and what a kill left of one."""
    folder = checkpoint.path.parent
    return [
        *folder.glob(f"member-{member}.*.safetensors"),
        *folder.glob(f".member-{member}.*.partial-*"),
    ]


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Until its end, SIGTERM and Ctrl-C ask to stop after the epoch; asked again, stop at once."""
    asked: list[int] = []

    def on_signal(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        print("asked to stop: after this epoch, with a checkpoint", flush=True)

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
