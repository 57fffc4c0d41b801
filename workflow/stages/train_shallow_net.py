"""Rule train_shallow_net: train one member of a coarse-grainer CG or an up-scaler UP."""

from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Facts, Input, Output, Spec, run
from pipeline.training import train_from_spec


def main(
    *, lattices_in: Input, lattices_out: Input, network: Output, history: Output, spec: Spec
) -> Facts:
    """Train a net of one layer that maps lattices at one level to those at another.

    Spec: activation, and what pipeline.training lists.
    """
    inputs, targets = read_lattices(lattices_in).spins, read_lattices(lattices_out).spins
    epochs, facts = train_from_spec(inputs, targets, spec, [spec["activation"]], network=network)
    write_table(history, epochs)
    return facts


if __name__ == "__main__":
    run(main)
