"""Members of a net that were trained in one job, in one file, until each has a file of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coarsegrain.errors import StorageError
from coarsegrain.nets.network import Activation, Layer, Network
from coarsegrain.nets.training import History, Trained
from coarsegrain.storage.weights import read_weights, write_weights


def write_together(path: Path, trained: Mapping[int, Trained], frozen: int) -> None:
    """Write members by their numbers: trained layers (those after ``frozen``) and histories."""
    tensors: dict[str, npt.NDArray[np.floating]] = {}
    for number, each in trained.items():
        tensors[f"{number}.history"] = each.history.values
        for k, layer in enumerate(each.network.layers[frozen:]):
            tensors[f"{number}.{k}.weight"] = layer.weight
            if layer.bias is not None:
                tensors[f"{number}.{k}.bias"] = layer.bias
    write_weights(path, tensors, {})


def read_trained(
    path: Path, member: int, frozen: Network | None, activations: Sequence[Activation]
) -> Trained:
    """One of the members that ``write_together`` wrote.

    Args:
        path: the file.
        member: its number.
        frozen: the net whose layers come first, if any.
        activations: of the trained layers.
    Raises:
        StorageError: the file is missing or damaged, or the member is not in it.
    """
    tensors, _ = read_weights(path)
    try:
        history = History(tensors[f"{member}.history"])
        layers = [
            Layer(tensors[f"{member}.{k}.weight"], tensors.get(f"{member}.{k}.bias"), activation)
            for k, activation in enumerate(activations)
        ]
    except KeyError as error:
        raise StorageError(
            f"{path} holds no {error}: it is not the joint training of member {member}; "
            f"delete it and run snakemake again."
        ) from None
    before = () if frozen is None else frozen.layers
    kept = (
        Layer(each.weight.astype(layers[0].weight.dtype), each.bias, each.activation)
        for each in before
    )
    return Trained(Network((*kept, *layers)), history)
