"""Training of nets with Adam and an L1 penalty on their weights.

Objective = loss + λ Σ|w| over the weights that are trained (Shukla & Thakur 2021, II.F). Frozen
leading layers are applied once to the data instead of at every step. Randomness (start, shuffling)
comes from explicit seeds.

``loop`` runs the epochs; ``shallow`` and ``dense`` make the steps on a CPU, ``shallow_cuda`` and
``stacked`` those on a GPU.
"""

from coarsegrain.nets.training.batches import epoch_order
from coarsegrain.nets.training.checkpoint import CheckpointFile
from coarsegrain.nets.training.history import History
from coarsegrain.nets.training.loop import Trained, train, train_members
from coarsegrain.nets.training.settings import (
    Data,
    Member,
    TrainingError,
    TrainingSettings,
    TrainingStopped,
)
from coarsegrain.nets.training.start import glorot_network

__all__ = [
    "CheckpointFile",
    "Data",
    "History",
    "Member",
    "Trained",
    "TrainingError",
    "TrainingSettings",
    "TrainingStopped",
    "epoch_order",
    "glorot_network",
    "train",
    "train_members",
]
