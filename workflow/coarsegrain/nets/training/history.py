"""The record of a training, epoch by epoch, and when it has gone on for long enough."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.nets.training.settings import TrainingSettings

SPLITS = ("train", "validation")
#: What is recorded of every epoch and split.
NUMBERS = ("hinge", "loss", "penalty")
#: An objective this many times larger than before the first step will not come down again.
DIVERGED = 1000.0


def is_history(values: npt.NDArray[np.generic]) -> bool:
    """Whether an array from a file can be the ``values`` of a history of at least an epoch."""
    shape = (len(SPLITS), len(NUMBERS))
    return values.ndim == 3 and values.shape[1:] == shape and values.size > 0 and (
        values.dtype == np.float64
    )  # fmt: skip


class History:
    """Losses of all epochs so far.

    Attributes:
        values: (epochs, 2, 3) by ``SPLITS`` and ``NUMBERS``. The training data's are means over
            the epoch's steps, as Keras reports them; the validation data's are those at its end.
            The penalty is that of the weights at the end, in both.
    """

    def __init__(self, values: npt.NDArray[np.float64] | None = None) -> None:
        self.values = np.empty((0, 2, 3)) if values is None else values

    @property
    def epochs(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def objectives(self) -> npt.NDArray[np.float64]:
        """(epochs, 2) loss + penalty by ``SPLITS``."""
        values: npt.NDArray[np.float64] = self.values[:, :, 1] + self.values[:, :, 2]
        return values

    def append(
        self, train: npt.NDArray[np.floating], validation: npt.NDArray[np.floating], penalty: float
    ) -> None:
        """Add an epoch: hinge and loss on both splits, and the penalty."""
        rows = [[*train, penalty], [*validation, penalty]]
        self.values = np.concatenate([self.values, np.array([rows], dtype=np.float64)])

    def wrong(self, objective_at_start: float) -> str | None:
        """What is wrong with the last epoch's numbers, if anything."""
        train, validation = self.objectives[-1].tolist()
        for name, value in (("training", train), ("validation", validation)):
            if not math.isfinite(value):
                return f"the {name} objective is {value}"
            if value > DIVERGED * objective_at_start:
                return f"the {name} objective is {value:.3g}, up from {objective_at_start:.3g}"
        return None

    def ended_by(self, settings: TrainingSettings) -> str:
        """What ends the training after the last epoch: loss, plateau or epochs; or nothing yet."""
        if not self.epochs:
            return ""
        if settings.stop_at_loss is not None and self.values[-1, 0, 1] <= settings.stop_at_loss:
            return "loss"
        if self.is_on_plateau(settings):
            return "plateau"
        return "epochs" if self.epochs >= settings.epochs else ""

    def is_on_plateau(self, settings: TrainingSettings) -> bool:
        """Whether the last epochs' mean validation objective is hardly below that before them."""
        window = settings.plateau_epochs
        if window is None or self.epochs < 2 * window:
            return False
        validation = self.objectives[:, 1]
        recent, before = validation[-window:].mean(), validation[-2 * window : -window].mean()
        return bool(before - recent <= settings.plateau_tolerance * before)

    def table(self, settings: TrainingSettings) -> pd.DataFrame:
        """One row per epoch and split: epoch, split, hinge, loss, penalty, objective, ended_by.

        ``ended_by`` is empty but in the last epoch: ``epochs`` (all that were asked for), ``loss``
        or ``plateau``.
        """
        number = self.epochs
        table = pd.DataFrame(
            {"epoch": np.repeat(np.arange(1, number + 1), 2), "split": SPLITS * number}
        )
        for k, name in enumerate(NUMBERS):
            table[name] = self.values[:, :, k].ravel()
        table["objective"] = self.objectives.ravel()
        table["ended_by"] = [""] * (2 * number - 2) + [self.ended_by(settings)] * 2
        return table
