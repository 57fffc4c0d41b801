"""Rule train_thermometer: train one member of the net that reads β off a lattice."""

from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Facts, Input, Output, Spec, run
from pipeline.training import train_from_spec


def main(*, lattices: Input, network: Output, history: Output, spec: Spec) -> Facts:
    """Train the thermometer, L² -> hidden tanh -> 1 ReLU with biases, until its MSE is low enough.

    Spec: what pipeline.training lists.
    """
    data = read_lattices(lattices)
    epochs, facts = train_from_spec(
        data.spins, data.betas, spec, ["tanh", "relu"], biases=True, network=network
    )
    mse = epochs[["model", "member", "epoch", "split", "loss"]].rename(columns={"loss": "mse"})
    write_table(history, mse)
    return facts


if __name__ == "__main__":
    run(main)
