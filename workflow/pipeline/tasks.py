"""What is trained on what: from files to the tasks of ``training``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coarsegrain.nets.network import read_network
from coarsegrain.nets.transfer import joined
from coarsegrain.storage.lattices import read_lattices
from pipeline.training import Task


def shallow_net(spec: Mapping[str, Any], lattices_in: Path, lattices_out: Path) -> Task:
    """A net of one layer, from lattices at one level to those at another."""
    return Task(
        spec,
        read_lattices(lattices_in).spins,
        read_lattices(lattices_out).spins,
        [spec["activation"]],
        read=[lattices_in, lattices_out],
    )


def model(spec: Mapping[str, Any], lattices: Path, transferred: Sequence[Path]) -> Task:
    """A net that reconstructs lattices, behind transferred layers if there are any."""
    spins = read_lattices(lattices).spins
    return Task(
        spec,
        spins,
        spins,
        [spec["activation"]] * (len(spec["sizes"]) - 1),
        read=[lattices, *transferred],
        frozen=joined([read_network(path) for path in transferred]) if transferred else None,
    )


def thermometer(spec: Mapping[str, Any], lattices: Path) -> Task:
    """The net that reads β off a lattice."""
    data = read_lattices(lattices)
    return Task(spec, data.spins, data.betas, ["tanh", "relu"], read=[lattices], biases=True)
