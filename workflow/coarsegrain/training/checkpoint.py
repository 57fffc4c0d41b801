"""Checkpoints: what a training needs to go on as if it had never been interrupted.

A checkpoint is the state at the end of an epoch: weights, Adam's moments, the history so far. The
number of steps and the order of the next batches follow from the number of the epoch. Numbers are
kept as they are, so a training that goes on ends with the same bits as one that never stopped.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coarsegrain.errors import StorageError
from coarsegrain.storage.weights import read_weights, write_weights

FloatArray = npt.NDArray[np.floating]

HISTORY = "history"


@dataclass(frozen=True)
class Checkpoint:
    """A training at the end of an epoch, or at its start.

    Attributes:
        history: (epochs, …) float64, what is recorded of every epoch.
        tensors: weights and moments, by name.
    """

    history: npt.NDArray[np.float64]
    tensors: Mapping[str, FloatArray]


@dataclass
class CheckpointFile:
    """Where one training keeps its checkpoint, and how often.

    Attributes:
        path: the file; its name must change with whatever decides the training's result.
        seconds: between two checkpoints, at least.
        epoch: of the last checkpoint written or read; 0 if there is none.
    """

    path: Path
    seconds: float
    epoch: int = 0
    _last: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Whether enough time has passed since the last one."""
        return time.monotonic() - self._last >= self.seconds

    def load(self, like: Checkpoint) -> Checkpoint | None:
        """The checkpoint, if there is one; one that does not fit is told and ignored.

        Args:
            like: the training at its start, whose names, shapes and types it must have.
        """
        if not self.path.is_file():
            return None
        try:
            tensors, _ = read_weights(self.path)
            found = Checkpoint(tensors.pop(HISTORY), tensors)
            if not _could_follow(like, found):
                raise StorageError(f"{self.path} is of another training.")
        except (StorageError, KeyError) as error:
            print(f"the checkpoint is not used, training starts anew: {error}", flush=True)
            return None
        self.epoch = len(found.history)
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint; a disk that does not take it is no reason to stop training."""
        epoch = len(checkpoint.history)
        partial = self.path.with_name(f".{self.path.name}.partial-{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_weights(partial, {**checkpoint.tensors, HISTORY: checkpoint.history}, {})
            os.replace(partial, self.path)
            self.epoch = epoch
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            print(f"no checkpoint was kept after epoch {epoch}: {error}", flush=True)
        self._last = time.monotonic()

    def __str__(self) -> str:
        """Name the last good checkpoint, for messages."""
        if not self.epoch:
            return "there is no checkpoint"
        return f"the last good checkpoint is of epoch {self.epoch}: {self.path}"


def _could_follow(start: Checkpoint, found: Checkpoint) -> bool:
    """Whether a checkpoint of at least an epoch has the layout of the training that starts so."""
    return found.history.size > 0 and _layout(found) == _layout(start)


def _layout(checkpoint: Checkpoint) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shapes and types by name; of the history, those of an epoch."""
    arrays = {name: (each.shape, str(each.dtype)) for name, each in checkpoint.tensors.items()}
    return arrays | {HISTORY: (checkpoint.history.shape[1:], str(checkpoint.history.dtype))}
