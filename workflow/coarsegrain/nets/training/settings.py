"""How a net is trained, and which member of which net."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.network import Network
from coarsegrain.training.checkpoint import CheckpointFile

#: Inputs (n, …) and targets (n, …), flattened by the trainers.
Data = tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]


@dataclass(frozen=True)
class TrainingSettings:
    """How a net is trained.

    Attributes:
        loss: a key of ``losses.LOSSES``.
        l1: λ of the penalty λ Σ|w| (biases are not penalised).
        learning_rate: of Adam.
        adam_betas: decay rates of Adam's two moments.
        adam_epsilon: ε, added to the bias-corrected √v (torch's convention; Keras adds it to the
            uncorrected one).
        batch_size: lattices per step; the last batch of an epoch may be smaller.
        epochs: passes over the training data, at most.
        stop_at_loss: end after the first epoch whose mean training loss is at most this.
        plateau_epochs: end when the validation objective, averaged over so many epochs, is not
            lower than over as many epochs before by more than ``plateau_tolerance`` of it.
        plateau_tolerance: relative.
    """

    loss: str
    l1: float
    learning_rate: float
    adam_betas: tuple[float, float]
    adam_epsilon: float
    batch_size: int
    epochs: int
    stop_at_loss: float | None = None
    plateau_epochs: int | None = None
    plateau_tolerance: float = 0.0


@dataclass(frozen=True)
class Member:
    """One of several independent trainings of a net.

    Attributes:
        network: starting weights, frozen leading layers included.
        data: to train on.
        validation: to judge by, after every epoch.
        seed: of the shuffling.
        name: for messages, e.g. ``"Model-1, member 0"``.
        checkpoint: where the training is kept in between; None: nowhere.
    """

    network: Network
    data: Data
    validation: Data
    seed: int
    name: str = "the net"
    checkpoint: CheckpointFile | None = None
