"""Rule train_shallow_net: train one member of a coarse-grainer CG or an up-scaler UP."""

from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Inputs, Option, Outcome, Output, Spec, run
from pipeline.tasks import shallow_net
from pipeline.training import train_or_take


def main(
    *,
    lattices_in: Input,
    lattices_out: Input,
    together: Inputs,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a net of one layer that maps lattices at one level to those at another.

    Spec: activation, and what pipeline.training.Task lists. With a file of members trained
    together (see train_members), take the member from there.
    """
    epochs, outcome = train_or_take(
        shallow_net(spec, lattices_in, lattices_out),
        together,
        network=network,
        code=code,
        checkpoint_minutes=checkpoint_minutes,
    )
    write_table(history, epochs)
    return outcome


if __name__ == "__main__":
    run(main)
