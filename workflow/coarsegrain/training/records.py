"""A training in records: what is told of it, where it can be stopped, and how it goes on.

Machines and flows are trained by steps, which are divided into records. At the end of each it may
be stopped, and its checkpoint written; it goes on from there with the same bits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coarsegrain.errors import TrainingStopped
from coarsegrain.training.checkpoint import Checkpoint, CheckpointFile

Array = npt.NDArray[np.float64]
#: Does the steps from one number up to another and gives the numbers of their record.
Record = Callable[[int, int], Sequence[float]]


class Resumable(Protocol):
    """What is trained."""

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What decides the next steps."""

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over what ``state`` gave."""


def ends_of(steps: int, records: int) -> npt.NDArray[np.int64]:
    """The steps after which so many records end, or as many as there are steps."""
    return np.linspace(0, steps, min(records, steps) + 1).astype(np.int64)[1:]


def train_in_records(
    trainer: Resumable,
    ends: npt.NDArray[np.int64],
    record: Record,
    *,
    columns: int,
    told: int,
    name: str,
    noun: str = "step",
    checkpoint: CheckpointFile | None = None,
    progress: Callable[[int, float], None] | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Array:
    """Train from the start or from a checkpoint to the end.

    Args:
        trainer: changed in place.
        ends: ``ends_of``.
        record: makes steps; whatever else decides them must follow from their numbers.
        columns: numbers of a record.
        told: which of them ``progress`` is given.
        name: of what is trained, in messages.
        noun: what a step is called.
        checkpoint: where to keep what has been done.
        progress: called after every record with the steps so far and the number ``told``.
        asked_to_stop: asked after every record.
    Returns:
        (records, columns).
    Raises:
        TrainingStopped: asked to stop; what has been done is in the checkpoint.
    """
    history = np.empty((0, columns))
    if checkpoint is not None:
        found = checkpoint.load(like=Checkpoint(history, trainer.state()))  # type: ignore[arg-type]
        if found is not None and len(found.history) <= len(ends):
            trainer.restore(found.tensors)
            history = found.history
            print(f"{name}: going on after {noun} {ends[len(history) - 1]}", flush=True)
    done, last = int(ends[len(history) - 1]) if len(history) else 0, int(ends[-1])
    for end in ends[len(history) :].tolist():
        numbers = record(done, end)
        done = end
        history = np.concatenate([history, [numbers]])
        if progress is not None:
            progress(done, numbers[told])
        stop = asked_to_stop() and done < last
        if checkpoint is not None and (stop or checkpoint.is_due()):
            checkpoint.save(Checkpoint(history, trainer.state()))  # type: ignore[arg-type]
        if stop:
            kept = checkpoint is not None and checkpoint.epoch == len(history)
            then = "run again to go on from there." if kept else "what was trained is lost."
            raise TrainingStopped(f"{name}: stopped after {noun} {done} of {last}; {then}")
    return history
