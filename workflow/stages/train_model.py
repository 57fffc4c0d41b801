"""Rule train_model: train one member of Model-1, Model-2 (either variant) or AE-WR."""

from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Inputs, Option, Outcome, Output, Spec, run
from pipeline.tasks import model
from pipeline.training import train_or_take


def main(
    *,
    lattices: Input,
    transferred: Inputs,
    together: Inputs,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a net to reconstruct lattices; layers transferred into it stay frozen.

    Spec: activation, and what pipeline.training.Task lists. With a file of members trained
    together (see train_members), take the member from there.
    """
    epochs, outcome = train_or_take(
        model(spec, lattices, transferred),
        together,
        network=network,
        code=code,
        checkpoint_minutes=checkpoint_minutes,
    )
    write_table(history, epochs)
    return outcome


if __name__ == "__main__":
    run(main)
