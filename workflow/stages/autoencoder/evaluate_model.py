"""Rule evaluate_model: losses and recovered spins of one member of a net."""

from pathlib import Path

import numpy as np

from coarsegrain.nets.amplitudes import best_gain, hinge_by_amplitude
from coarsegrain.nets.losses import LOSSES, hinge, spin_accuracy
from coarsegrain.nets.network import read_network
from coarsegrain.nets.splits import split
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_rows
from pipeline.stage import Input, Output, Spec, run

DIGITS = 9


def main(
    *,
    network: Input,
    lattices_in: Input,
    lattices_out: Input,
    test_in: Input,
    test_out: Input,
    losses: Output,
    amplitudes: Output,
    spec: Spec,
) -> None:
    """Evaluate a net on its member's training and validation lattices, and on all nets' test set.

    ``code`` is the number of units in the narrowest layer, to which a lattice is compressed.
    Two objectives: as the net was trained, and with the penalty of frozen layers counted, too. On
    the test set the hinge is also told of outputs of other amplitudes; their best gain is found on
    the training lattices.
    Spec: net, member; loss, l1; trained_layers (how many layers, from the last, were trained in
    this net: only they count in the penalty of the first); validation_fraction.
    """
    net = read_network(network)
    inputs, targets = spins(lattices_in), spins(lattices_out)
    ranges = split(len(inputs), validation_fraction=spec["validation_fraction"])._asdict()
    parts = {name: (inputs[part], targets[part]) for name, part in ranges.items()}
    parts["test"] = spins(test_in), spins(test_out)
    trained = net.layers[len(net.layers) - spec["trained_layers"] :]
    penalty, penalty_of_all = (
        spec["l1"] * sum(float(abs(layer.weight).sum(dtype=float)) for layer in layers)
        for layers in (trained, net.layers)
    )
    rows, gain = [], 1.0
    for name, (given, wanted) in parts.items():
        outputs, wanted = net(given), wanted.reshape(len(given), -1)
        if name == "train":
            gain = best_gain(outputs, wanted)
        loss = float(LOSSES[spec["loss"]](outputs, wanted))
        rows.append(
            {
                "model": spec["net"],
                "member": spec["member"],
                "split": name,
                "code": min(net.sizes),
                "hinge": float(hinge(outputs, wanted)),
                "penalty": penalty,
                "objective": loss + penalty,
                "spin_accuracy": spin_accuracy(outputs, wanted),
                "objective_all_layers": loss + penalty_of_all,
            }
        )
    write_rows(losses, rows)
    # the last outputs are those on the test set
    names = {key: rows[-1][key] for key in ("model", "member", "split")}
    accuracy = np.round(rows[-1]["spin_accuracy"], DIGITS)
    by_amplitude = [
        {**names, "amplitude": name, "hinge": np.round(loss, DIGITS), "spin_accuracy": accuracy}
        for name, loss in hinge_by_amplitude(outputs, wanted, gain=gain).items()
    ]
    write_rows(amplitudes, by_amplitude)


def spins(path: Path) -> np.ndarray:
    """(n, …) the lattices in a file."""
    return read_lattices(path).spins


if __name__ == "__main__":
    run(main)
