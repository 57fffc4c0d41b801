"""Members of a net that were trained in one job, in one file, until each has a file of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.network import Activation, Layer, Network, fits
from coarsegrain.nets.training import History, Trained
from coarsegrain.nets.training.history import is_history
from coarsegrain.storage.refusal import refusal
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
        raise refusal(
            path, f"holds no {error}: it is not the joint training of member {member}"
        ) from None
    before = () if frozen is None else frozen.layers
    for k, layer in enumerate(layers):
        if not fits(layer.weight, layer.bias, [*before, *layers[:k]]):
            raise refusal(path, f"holds no net of member {member}: trained layer {k} does not fit")
    if not is_history(history.values):
        raise refusal(path, f"holds no history of member {member}")
    kept = (
        Layer(each.weight.astype(layers[0].weight.dtype), each.bias, each.activation)
        for each in before
    )
    return Trained(Network((*kept, *layers)), history)
