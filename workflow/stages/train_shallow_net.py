"""Rule train_shallow_net: train one member of a coarse-grainer CG or an up-scaler UP."""

from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Option, Outcome, Output, Spec, run
from pipeline.training import Checkpoints, train_from_spec


def main(
    *,
    lattices_in: Input,
    lattices_out: Input,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a net of one layer that maps lattices at one level to those at another.

    Spec: activation, and what pipeline.training lists.
    """
    inputs, targets = read_lattices(lattices_in).spins, read_lattices(lattices_out).spins
    epochs, outcome = train_from_spec(
        inputs,
        targets,
        spec,
        [spec["activation"]],
        checkpoints=Checkpoints(code, [lattices_in, lattices_out], checkpoint_minutes),
        network=network,
    )
    write_table(history, epochs)
    return outcome


if __name__ == "__main__":
    run(main)
