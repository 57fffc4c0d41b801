"""Rule train_members: train several members of a net in one job, where that is faster: on a GPU."""

from coarsegrain.nets.architecture import THERMOMETER
from pipeline.stage import Code, Inputs, Option, Outcome, Output, Spec, run
from pipeline.tasks import model, shallow_net, thermometer
from pipeline.together import write_together
from pipeline.training import train_tasks


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
    """Train members of one net side by side; train_shallow_net and its like take them from here.

    Inputs: one file per member each; transferred: the first net of every member, or none.
    Spec: members, each as pipeline.training.Task says.
    """
    tasks = []
    for k, member in enumerate(spec["members"]):
        if member["net"] == THERMOMETER:
            tasks.append(thermometer(member, lattices_in[k]))
        elif lattices_in[k] == lattices_out[k]:
            tasks.append(model(member, lattices_in[k], transferred[k : k + 1]))
        else:
            tasks.append(shallow_net(member, lattices_in[k], lattices_out[k]))
    trained, outcome = train_tasks(
        tasks, folder=together.parent.parent, code=code, checkpoint_minutes=checkpoint_minutes
    )
    frozen = 0 if tasks[0].frozen is None else len(tasks[0].frozen.layers)
    numbers = [member["member"] for member in spec["members"]]
    write_together(together, dict(zip(numbers, trained)), frozen)
    return outcome


if __name__ == "__main__":
    run(main)
