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

from coarsegrain.errors import CoarsegrainError
from coarsegrain.nets.device import choose_device, use_threads
from coarsegrain.nets.network import Activation, Network, read_network, write_network
from coarsegrain.nets.splits import split
from coarsegrain.nets.training import (
    CheckpointFile,
    Member,
    TrainingSettings,
    glorot_network,
    train_members,
)
from coarsegrain.nets.transfer import joined
from pipeline.progress import reporter
from pipeline.provenance import sha256
from pipeline.spec import canonical_json
from pipeline.stage import Outcome


@dataclass(frozen=True)
class Checkpoints:
    """Whose checkpoint a training may go on from, and how often it writes one.

    Attributes:
        code: digest of the code that trains; without one no checkpoint is kept.
        inputs: the files that are read.
        minutes: between two checkpoints, at least, as text; 0: after every epoch.
    """

    code: str
    inputs: Sequence[Path]
    minutes: str

    def file(self, network: Path, spec: Mapping[str, Any]) -> CheckpointFile | None:
        """The checkpoint of one training: its name follows from all that decides the result."""
        if self.code == "unknown":
            print("no checkpoints: --code does not say which code this is", flush=True)
            return None
        try:
            minutes = float(self.minutes)
        except ValueError:
            raise CoarsegrainError(
                f"--checkpoint-minutes is {self.minutes!r}; it must be a number of minutes."
            ) from None
        decides = [spec, self.code, [sha256(path) for path in self.inputs]]
        key = hashlib.sha256(canonical_json(decides).encode()).hexdigest()[:16]
        folder = network.parent / "checkpoints"
        return CheckpointFile(folder / f"member-{spec['member']}.{key}.safetensors", 60 * minutes)


def train_from_spec(
    inputs: npt.NDArray[np.generic],
    targets: npt.NDArray[np.generic],
    spec: Mapping[str, Any],
    activations: list[Activation],
    *,
    biases: bool = False,
    transferred: Sequence[Path] = (),
    checkpoints: Checkpoints,
    network: Path,
) -> tuple[pd.DataFrame, Outcome]:
    """Train one member of a net as its spec says, and write it.

    Args:
        inputs: (n, …) lattices.
        targets: (n, …) what the net should make of them.
        spec: net, member; sizes of the layers to train; settings (see ``TrainingSettings``);
            splits; start_seed, shuffling_seed; device, threads, precision.
        activations: one per layer to train.
        biases: whether the layers to train have biases.
        transferred: nets whose layers come first and stay frozen.
        checkpoints: how to be able to go on after an interruption.
        network: where the trained net goes.
    Returns:
        The history (see ``train_members``) with model and member in front, and what the stage ends
        with.
    """
    use_threads(spec["threads"])
    device = choose_device(spec["device"])
    name, settings = f"{spec['net']}, member {spec['member']}", TrainingSettings(**spec["settings"])
    parts = split(len(inputs), **spec["splits"])
    start = glorot_network(spec["sizes"], activations, biases=biases, seed=spec["start_seed"])
    frozen: list[Network] = [read_network(path) for path in transferred]
    checkpoint = checkpoints.file(network, spec)
    member = Member(
        joined([*frozen, start]),
        (inputs[parts.train], targets[parts.train]),
        (inputs[parts.validation], targets[parts.validation]),
        seed=spec["shuffling_seed"],
        name=name,
        checkpoint=checkpoint,
    )
    with _asked_to_stop() as asked_to_stop:
        ((trained, history),) = train_members(
            [member],
            settings,
            frozen=sum(len(part.layers) for part in frozen),
            device=device,
            precision=spec["precision"],
            threads=spec["threads"],
            progress=reporter(name, settings.epochs, "epochs"),
            asked_to_stop=asked_to_stop,
        )
    write_network(network, trained)
    history.insert(0, "model", spec["net"])
    history.insert(1, "member", spec["member"])
    return history, Outcome(
        {"device": device, "training_ended": _ending(history, settings)},
        no_longer_needed=[] if checkpoint is None else _checkpoints_of(checkpoint, spec["member"]),
    )


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


def _checkpoints_of(checkpoint: CheckpointFile, member: int) -> list[Path]:
    """This training's checkpoint, and those of earlier versions of it."""
    return [checkpoint.path, *checkpoint.path.parent.glob(f"member-{member}.*.safetensors")]


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
