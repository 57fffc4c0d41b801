"""Rule train_members: train several members of a net in one job, where that is faster: on a GPU."""

from pipeline.stage import Code, Inputs, Option, Outcome, Output, Spec, run
from pipeline.together import write_together
from pipeline.training import Task, train_tasks


def main(
    *,
    lattices_in: Inputs,
    lattices_out: Inputs,
    transferred: Inputs,
    together: Output,
    checkpoint_minutes: Option,
    spec: Spec,
    code: Code,
) -> Outcome:
    """Train members of one net side by side; train_net takes them from here.

    Inputs: one file per member each; transferred: the first net of every member, or none.
    Spec: members, each as pipeline.training.TrainingSpec says.
    """
    tasks = [
        Task.read(member, lattices_in[k], lattices_out[k], transferred[k : k + 1])
        for k, member in enumerate(spec["members"])
    ]
    trained, outcome = train_tasks(
        tasks, folder=together.parent.parent, code=code, checkpoint_minutes=checkpoint_minutes
    )
    frozen = 0 if tasks[0].frozen is None else len(tasks[0].frozen.layers)
    write_together(together, {t.spec.member: n for t, n in zip(tasks, trained)}, frozen)
    return outcome


if __name__ == "__main__":
    run(main)
