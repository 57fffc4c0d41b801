"""What every job of a kind does once: start, import its stage, load compiled kernels, open a file.

    python -m pipeline.estimate.first_calls stages.autoencoder.train_net hybrid hinge float32 some.nc reading

Nothing is imported but the stage and what the calls need, as in the job itself.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What decides which kernels are loaded.

    Attributes:
        method: of sampling.
        loss: of training.
        precision: of the nets.
        lattices: a file to read.
    """

    method: str
    loss: str
    precision: str
    lattices: Path


def sampling(kind: Kind) -> None:
    """Two tiny lattices."""
    from coarsegrain.ising.sampler import sample_lattices

    steps: dict[str, Any] = {"steps": 2} if kind.method == "hybrid" else {}
    sample_lattices([0.1, 0.1], 8, seed=1, method=kind.method, **steps)  # type: ignore[arg-type]


def writing(kind: Kind) -> None:
    """A file of lattices."""
    import numpy as np

    from coarsegrain.storage.lattices import write_lattices

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lattices.nc")
        write_lattices(path, np.ones((2, 8, 8), np.int8), np.full(2, 0.1), {})


def reading(kind: Kind) -> None:
    """A file of lattices."""
    from coarsegrain.storage.lattices import read_lattices

    read_lattices(kind.lattices)


def training(kind: Kind) -> None:
    """Two steps of a net of one layer and of a deep one."""
    import numpy as np

    from coarsegrain.nets.training import Member, TrainingSettings, glorot_network, train_members

    settings = TrainingSettings(kind.loss, 0.0, 1e-3, (0.9, 0.999), 1e-7, 8, epochs=1)
    spins = np.where(np.arange(16 * 64).reshape(16, 64) % 3 == 0, 1, -1).astype(np.int8)
    for sizes in ((64, 32), (64, 32, 64)):
        network = glorot_network(sizes, ["linear"] * (len(sizes) - 1), biases=False, seed=1)
        data = spins, spins[:, : sizes[-1]]
        train_members([Member(network, data, data, seed=1)], settings, precision=kind.precision)


CALLS: dict[str, Callable[[Kind], None]] = {
    "sampling": sampling,
    "writing": writing,
    "reading": reading,
    "training": training,
}


def main(arguments: Sequence[str]) -> None:
    """Import the stage, then make the calls: stage, method, loss, precision, lattices, calls."""
    stage, method, loss, precision, lattices, *calls = arguments
    import_module(stage)
    kind = Kind(method, loss, precision, Path(lattices))
    for name in calls:
        CALLS[name](kind)


if __name__ == "__main__":
    main(sys.argv[1:])
