"""Rule train_thermometer: train one member of the net that reads β off a lattice."""

from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Inputs, Option, Outcome, Output, Spec, run
from pipeline.tasks import thermometer
from pipeline.training import train_or_take


def main(
    *,
    lattices: Input,
    together: Inputs,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train the thermometer, L² -> hidden tanh -> 1 ReLU with biases, until its MSE is low enough.

    Spec: what pipeline.training.Task lists. With a file of members trained together (see
    train_members), take the member from there.
    """
    epochs, outcome = train_or_take(
        thermometer(spec, lattices),
        together,
        network=network,
        code=code,
        checkpoint_minutes=checkpoint_minutes,
    )
    columns = ["model", "member", "epoch", "split", "loss", "ended_by"]
    write_table(history, epochs[columns].rename(columns={"loss": "mse"}))
    return outcome


if __name__ == "__main__":
    run(main)
