"""The loop over steps: what is recorded of them, and numbers that go wrong."""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.errors import TrainingError
from coarsegrain.flows.training.settings import TrainingSettings
from coarsegrain.training.checkpoint import CheckpointFile
from coarsegrain.training.records import Resumable, ends_of, train_in_records

Array = npt.NDArray[np.float64]

#: What is recorded of the steps of a record: every step has fresh samples, so the mean of their
#: losses is an unbiased estimate of the gap, of the flow as it was in these steps.
NUMBERS = ("learning_rate", "samples", "gap_nats", "gap_error", "spread_nats")


GAP = NUMBERS.index("gap_nats")
#: Nats by which a gap may rise again: a training that is at rest wanders by less than one.
DIVERGED = 100.0


class Trainer(Resumable, Protocol):
    """Parameters and moments of a flow."""

    def step(self, number: int, samples: int, rate: float) -> Array:
        """A step of Adam with so many fresh samples; their losses, (samples,) ln q + E."""


def train(
    trainer: Trainer,
    settings: TrainingSettings,
    log_integral: float,
    *,
    records: int = 50,
    name: str = "flow",
    checkpoint: CheckpointFile | None = None,
    progress: Callable[[int, float], None] | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> pd.DataFrame:
    """Train a flow in place.

    Args:
        trainer: the flow at the start.
        settings: how to train.
        log_integral: ln ∫ exp(−E), of which the loss tells the gap.
        records: into which the steps are divided, at most; checkpoints are at their ends.
        name: of the flow, in messages.
        checkpoint: where to keep what has been done.
        progress: called after every record with the steps so far and the gap.
        asked_to_stop: asked after every record.
    Returns:
        The history: ``step`` and ``NUMBERS``.
    Raises:
        TrainingError: a number is no longer finite, or the gap rises by ``DIVERGED``.
        TrainingStopped: asked to stop; what has been done is in the checkpoint.
    """
    ends = ends_of(settings.steps, records)
    lowest = math.inf

    def record(done: int, end: int) -> list[float]:
        nonlocal lowest
        losses = []
        for k in range(done, end):
            losses.append(trainer.step(k, settings.batch_of(k), settings.learning_rate_of(k)))
            if not np.isfinite(losses[-1]).all():
                raise TrainingError(
                    f"{name}: a sample's loss is not finite in step {k + 1}; a smaller learning "
                    f"rate may help. {checkpoint if checkpoint is not None else ''}".rstrip()
                )
        numbers = _record(np.concatenate(losses) + log_integral, settings, end)
        gap = numbers[GAP]
        if gap > lowest + DIVERGED:
            raise TrainingError(
                f"{name}: the gap was {lowest:.3g} nats and is {gap:.3g} by step {end}: the "
                "training diverges; take a smaller learning rate."
            )
        lowest = min(lowest, gap)
        return numbers

    history = train_in_records(
        trainer,
        ends,
        record,
        columns=len(NUMBERS),
        told=GAP,
        name=name,
        checkpoint=checkpoint,
        progress=progress,
        asked_to_stop=asked_to_stop,
    )
    frame = pd.DataFrame(history, columns=list(NUMBERS))
    frame.insert(0, "step", ends)
    return frame


def _record(gaps: Array, settings: TrainingSettings, done: int) -> list[float]:
    if not len(gaps):  # on exact samples alone, which tell no gap
        return [settings.learning_rate_of(done - 1), 0.0, math.nan, math.nan, math.nan]
    spread = float(gaps.std())
    return [
        settings.learning_rate_of(done - 1),
        float(len(gaps)),
        float(gaps.mean()),
        spread / math.sqrt(len(gaps)),
        spread,
    ]
