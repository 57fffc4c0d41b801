"""The loop over steps: what is recorded of them, and numbers that go wrong.

A record whose gap diverges, or in which a number is not finite, is taken back and made again with
half the learning rate, which stays halved to the end.
"""

import math
from collections.abc import Callable, Mapping
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
#: How often a learning rate is halved, at most: to a 32nd.
HALVINGS = 5


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
        TrainingError: a number is no longer finite, or the gap rises by ``DIVERGED``, at a 32nd of
            the learning rate, too.
        TrainingStopped: asked to stop; what has been done is in the checkpoint.
    """
    ends = ends_of(settings.steps, records)
    careful = _Careful(trainer)

    def attempt(done: int, end: int, slower: float) -> list[float]:
        losses = []
        for k in range(done, end):
            rate = slower * settings.learning_rate_of(k)
            losses.append(trainer.step(k, settings.batch_of(k), rate))
            if not np.isfinite(losses[-1]).all():
                raise TrainingError(f"a sample's loss is not finite in step {k + 1}")
        numbers = _record(np.concatenate(losses) + log_integral, rate)
        lowest, gap = float(careful.lowest[0]), numbers[GAP]
        if gap > lowest + DIVERGED:
            raise TrainingError(
                f"the gap was {lowest:.3g} nats and is {gap:.3g} by step {end}: the training "
                "diverges"
            )
        careful.lowest[0] = np.fmin(lowest, gap)
        return numbers

    def record(done: int, end: int) -> list[float]:
        before = {key: array.copy() for key, array in careful.state().items()}
        while True:
            try:
                return attempt(done, end, float(careful.slower[0]))
            except TrainingError as error:
                halved = float(careful.slower[0]) / 2
                if halved < 0.5**HALVINGS:
                    kept = "" if checkpoint is None else f"; {checkpoint}"
                    raise TrainingError(
                        f"{name}: {error}, at a {2**HALVINGS}nd of the learning rate, too; take "
                        f"a smaller one{kept}"
                    ) from None
                careful.restore(before)
                careful.slower[0] = halved
                print(f"{name}: {error}; again from step {done}, {halved:g} x as fast", flush=True)

    history = train_in_records(
        careful,
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


class _Careful:
    """A trainer, with what is needed to go on if it diverged before."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.slower, self.lowest = np.ones(1), np.full(1, np.inf)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        return {**self._trainer.state(), "slower": self.slower, "lowest": self.lowest}

    def restore(self, tensors: Mapping[str, npt.NDArray[np.generic]]) -> None:
        self._trainer.restore(tensors)
        self.slower[:], self.lowest[:] = tensors["slower"], tensors["lowest"]


def _record(gaps: Array, rate: float) -> list[float]:
    """The numbers of a record, by its losses and its last learning rate."""
    if not len(gaps):  # on exact samples alone, which tell no gap
        return [rate, 0.0, math.nan, math.nan, math.nan]
    spread = float(gaps.std())
    return [rate, float(len(gaps)), float(gaps.mean()), spread / math.sqrt(len(gaps)), spread]
