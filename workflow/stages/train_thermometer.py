"""Rule train_thermometer: train one member of the net that reads β off a lattice."""

from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Option, Outcome, Output, Spec, run
from pipeline.training import Checkpoints, train_from_spec


def main(
    *,
    lattices: Input,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train the thermometer, L² -> hidden tanh -> 1 ReLU with biases, until its MSE is low enough.

    Spec: what pipeline.training lists.
    """
    data = read_lattices(lattices)
    epochs, outcome = train_from_spec(
        data.spins,
        data.betas,
        spec,
        ["tanh", "relu"],
        biases=True,
        checkpoints=Checkpoints(code, [lattices], checkpoint_minutes),
        network=network,
    )
    columns = ["model", "member", "epoch", "split", "loss", "ended_by"]
    write_table(history, epochs[columns].rename(columns={"loss": "mse"}))
    return outcome


if __name__ == "__main__":
    run(main)
