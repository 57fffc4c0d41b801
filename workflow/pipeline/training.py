"""What the training stages have in common: from a spec and data to a trained net."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.device import choose_device
from coarsegrain.nets.network import Activation, Network, read_network, write_network
from coarsegrain.nets.splits import split
from coarsegrain.nets.training import (
    Member,
    Trained,
    TrainingSettings,
    glorot_network,
    train_members,
)
from coarsegrain.nets.transfer import joined
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.threads import use_threads
from pipeline.checkpoints import all_checkpoints, checkpoint_file
from pipeline.gpus import take_device
from pipeline.progress import reporter
from pipeline.sidecars import sha256
from pipeline.spec import canonical_json
from pipeline.stage import Outcome
from pipeline.stopping import asked_to_stop
from pipeline.together import read_trained


@dataclass(frozen=True)
class TrainingSpec:
    """What decides the training of one member of a net.

    Attributes:
        net: its name.
        member: its number.
        sizes: units of the layers to train, inputs first.
        activations: one per layer to train.
        biases: whether these layers have biases.
        targets: what the net should make of lattices: ``"spins"`` of lattices, or their
            ``"betas"``.
        settings: see ``TrainingSettings``.
        validation_fraction: share of the lattices to judge by (see ``split``).
        start_seed: of the starting weights.
        shuffling_seed: of the order of the lattices.
        device: auto, cpu or cuda.
        threads: numeric threads; the order of sums depends on it.
        precision: float32 or float64.
    """

    net: str
    member: int
    sizes: Sequence[int]
    activations: Sequence[Activation]
    biases: bool
    targets: Literal["spins", "betas"]
    settings: TrainingSettings
    validation_fraction: float
    start_seed: int
    shuffling_seed: int
    device: Literal["auto", "cpu", "cuda"]
    threads: int
    precision: Literal["float32", "float64"]

    @classmethod
    def parsed(cls, told: Mapping[str, Any]) -> Self:
        """From a stage's spec."""
        return cls(**{**told, "settings": TrainingSettings(**told["settings"])})


@dataclass(frozen=True)
class Task:
    """One member to train.

    Attributes:
        spec: what decides it.
        key: names the training by all that decides its result but the code.
        inputs: (n, …) lattices.
        targets: (n, …) what the net should make of them.
        frozen: a net whose layers come first and stay as they are.
    """

    spec: TrainingSpec
    key: str
    inputs: npt.NDArray[np.generic]
    targets: npt.NDArray[np.generic]
    frozen: Network | None = None

    @classmethod
    def read(
        cls,
        told: Mapping[str, Any],
        lattices_in: Path,
        lattices_out: Path,
        transferred: Sequence[Path],
    ) -> Self:
        """From a stage's spec and files: what the net reads, what it should give, and layers."""
        spec = TrainingSpec.parsed(told)
        before = read_lattices(lattices_in)
        after = before if lattices_out == lattices_in else read_lattices(lattices_out)
        read = dict.fromkeys([lattices_in, lattices_out, *transferred])
        return cls(
            spec,
            canonical_json([told, [sha256(path) for path in read]]),
            before.spins,
            after.spins if spec.targets == "spins" else after.betas,
            joined([read_network(path) for path in transferred]) if transferred else None,
        )

    def member(self, folder: Path, code: str, minutes: str) -> Member:
        """With its starting weights, its data, and the checkpoint it may go on from."""
        spec = self.spec
        parts = split(len(self.inputs), validation_fraction=spec.validation_fraction)
        start = glorot_network(
            spec.sizes, spec.activations, biases=spec.biases, seed=spec.start_seed
        )
        return Member(
            start if self.frozen is None else joined([self.frozen, start]),
            (self.inputs[parts.train], self.targets[parts.train]),
            (self.inputs[parts.validation], self.targets[parts.validation]),
            seed=spec.shuffling_seed,
            name=f"{spec.net}, member {spec.member}",
            checkpoint=checkpoint_file(folder, f"member-{spec.member}", self.key, code, minutes),
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
    use_threads(spec.threads)
    settings = spec.settings
    device = take_device(spec.device, choose_device)
    members = [task.member(folder, code, checkpoint_minutes) for task in tasks]
    what = members[0].name if len(members) == 1 else f"{spec.net}, {len(members)} members"
    frozen = tasks[0].frozen
    with asked_to_stop() as stop:
        trained = train_members(
            members,
            settings,
            frozen=0 if frozen is None else len(frozen.layers),
            device=device,
            precision=spec.precision,
            threads=spec.threads,
            progress=reporter(what, settings.epochs, "epochs"),
            asked_to_stop=stop,
        )
    over = [
        path
        for task, member in zip(tasks, members)
        if member.checkpoint is not None
        for path in all_checkpoints(folder, f"member-{task.spec.member}")
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
    spec, settings = task.spec, task.spec.settings
    if together:
        trained = read_trained(together[0], spec.member, task.frozen, spec.activations)
        facts = {"training_ended": _ending(trained.table(settings), settings)}
        outcome = Outcome({**facts, "trained_in": str(together[0])})
    else:
        (trained,), outcome = train_tasks(
            [task], folder=network.parent, code=code, checkpoint_minutes=checkpoint_minutes
        )
    write_network(network, trained.network)
    history = trained.table(settings)
    history.insert(0, "model", spec.net)
    history.insert(1, "member", spec.member)
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
