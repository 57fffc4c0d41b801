"""What the training stages have in common: from a spec and data to a trained net."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.nets.device import choose_device, use_threads
from coarsegrain.nets.network import Activation, Network, read_network, write_network
from coarsegrain.nets.splits import split
from coarsegrain.nets.training import TrainingSettings, glorot_network, train
from coarsegrain.nets.transfer import joined
from pipeline.progress import reporter


def train_from_spec(
    inputs: npt.NDArray[np.generic],
    targets: npt.NDArray[np.generic],
    spec: Mapping[str, Any],
    activations: list[Activation],
    *,
    biases: bool = False,
    transferred: list[Path] | None = None,
    network: Path,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Train one member of a net as its spec says, and write it.

    Args:
        inputs: (n, …) lattices.
        targets: (n, …) what the net should make of them.
        spec: net, member; sizes of the layers to train; settings (see ``TrainingSettings``);
            splits; start_seed, shuffling_seed; device, threads, precision.
        activations: one per layer to train.
        biases: whether the layers to train have biases.
        transferred: nets whose layers come first and stay frozen.
        network: where the trained net goes.
    Returns:
        The history (see ``train``) with model and member in front, and facts for the provenance.
    """
    use_threads(spec["threads"])
    device = choose_device(spec["device"])
    name, member, settings = spec["net"], spec["member"], TrainingSettings(**spec["settings"])
    parts = split(len(inputs), **spec["splits"])
    start = glorot_network(spec["sizes"], activations, biases=biases, seed=spec["start_seed"])
    frozen: list[Network] = [read_network(path) for path in transferred or []]
    trained, history = train(
        joined([*frozen, start]),
        (inputs[parts.train], targets[parts.train]),
        (inputs[parts.validation], targets[parts.validation]),
        settings,
        seed=spec["shuffling_seed"],
        frozen=sum(len(part.layers) for part in frozen),
        device=device,
        precision=spec["precision"],
        progress=reporter(f"{name}, member {member}", settings.epochs, "epochs"),
    )
    write_network(network, trained)
    history.insert(0, "model", name)
    history.insert(1, "member", member)
    last = history[history["split"] == "train"].iloc[-1]
    ended = (
        f"after epoch {last['epoch']} of at most {settings.epochs}, at a loss of {last['loss']:.6f}"
    )
    return history, {"device": device, "training_ended": ended}
