"""Rule train_net: train one member of a net."""

from coarsegrain.storage.tables import write_table
from pipeline.stage import Code, Input, Inputs, Option, Outcome, Output, Parts, Spec, run
from pipeline.training import Task, train_or_take

# Members may be taken from where they were trained together: that code is code of them, too.
from stages.autoencoder import train_members as train_members


def main(
    *,
    lattices_in: Input,
    lattices_out: Input,
    transferred: Inputs,
    together: Parts,
    network: Output,
    history: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train a net from lattices to lattices, or to their β; layers transferred into it are frozen.

    Spec: see pipeline.training.TrainingSpec. With a file of members that were trained together (see
    train_members), take the member from there.
    """
    epochs, outcome = train_or_take(
        Task.read(spec, lattices_in, lattices_out, transferred),
        together,
        network=network,
        code=code,
        checkpoint_minutes=checkpoint_minutes,
    )
    write_table(history, epochs)
    return outcome


if __name__ == "__main__":
    run(main)
