"""Rule sample_layer: hidden states of a layer of a stack, as lattices."""

import numpy as np

from coarsegrain.rbm.machine import read_machine
from coarsegrain.rbm.stack import through_layers
from coarsegrain.storage.lattices import read_lattices, write_lattices
from pipeline.stage import Input, Inputs, Output, Spec, run


def main(*, lattices: Input, machines: Inputs, layer: Output, spec: Spec) -> None:
    """Draw the hidden units of the last of the machines, lowest first, each of one channel.

    Spec: seed. The β in the file is that of the lattices at the bottom.
    """
    bottom = read_lattices(lattices)
    stack = [read_machine(path)[0] for path in machines]
    hidden = through_layers(stack, bottom.spins, rng=np.random.default_rng(spec["seed"]))
    attributes = {"sampler": "hidden units of a stack", "seed": str(spec["seed"])}
    write_lattices(layer, hidden, bottom.betas, attributes)


if __name__ == "__main__":
    run(main)
