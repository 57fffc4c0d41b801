"""Rule train_model: train one member of Model-1, Model-2 (either variant) or AE-WR."""

from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Inputs, Option, Outcome, Output, Spec, run
from pipeline.training import Checkpoints, train_from_spec


def main(
    *,
    lattices: Input,
    transferred: Inputs,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a net to reconstruct lattices; layers transferred into it stay frozen.

    Spec: activation, and what pipeline.training lists.
    """
    spins = read_lattices(lattices).spins
    activations = [spec["activation"]] * (len(spec["sizes"]) - 1)
    epochs, outcome = train_from_spec(
        spins,
        spins,
        spec,
        activations,
        transferred=transferred,
        checkpoints=Checkpoints(code, [lattices, *transferred], checkpoint_minutes),
        network=network,
    )
    write_table(history, epochs)
    return outcome


if __name__ == "__main__":
    run(main)
