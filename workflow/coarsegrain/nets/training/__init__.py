"""Training of nets with Adam and an L1 penalty on their weights.

Objective = loss + λ Σ|w| over the weights that are trained (Shukla & Thakur 2021, II.F). Frozen
leading layers are applied once to the data instead of at every step. Randomness (start, shuffling)
comes from explicit seeds.

``loop`` runs the epochs; what makes the steps is in ``cpu`` and ``gpu``.
"""

from coarsegrain.errors import TrainingError, TrainingStopped
from coarsegrain.nets.training.history import History
from coarsegrain.nets.training.loop import Trained, train, train_members
from coarsegrain.nets.training.settings import (
    Data,
    Member,
    TrainingSettings,
)
from coarsegrain.nets.training.start import glorot_network

__all__ = [
    "Data",
    "History",
    "Member",
    "Trained",
    "TrainingError",
    "TrainingSettings",
    "TrainingStopped",
    "glorot_network",
    "train",
    "train_members",
]
