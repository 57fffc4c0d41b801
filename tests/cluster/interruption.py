"""A run through Slurm that is cut off in all ways, and what becomes of it."""

import os
import signal
from dataclasses import dataclass

from local_slurm import submitted
from runs import ClusterRun, copied

from checkouts import Checkout

LONG = "{checkpoint_minutes: 0, nets: {epochs: {shallow: 6000, deep: 4000}}}"
# The first is cut off again and again; the second goes on alone, as a training of days would.
CUT = "results/smoke/nets/Model-1/member-0"
ALONE = "results/smoke/nets/CG-64-32/member-0"
CUT_JOB = "rule_train_net_wildcards__Model-1_0"  # Slurm's comment on it
CUT_LOG = "results/smoke/logs/train_net/Model-1/member-0.log"
ALONE_JOB = "rule_train_net_wildcards__CG-64-32_0"
TARGETS = [f"{CUT}.safetensors", f"{ALONE}.safetensors"]


@dataclass(frozen=True)
class Interrupted:
    """What became of a run that was cut off in all ways."""

    killed: ClusterRun
    refused: list
    unlocked: Checkout
    last: ClusterRun
    undisturbed: Checkout


def interrupt(cluster, finished, folder):
    """Cancel a training, kill Snakemake, and let another job of it end alone.

    Args:
        cluster: a running Slurm.
        finished: a checkout with the results of the smoke preset, which stays as it is.
        folder: where to work.
    """
    changes = [folder / "changes.yaml"]
    changes[0].write_text(LONG)
    checkout = copied(finished, folder / "killed")

    def has_checkpoint(member):
        path = checkout.path / member
        return any((path.parent / "checkpoints").glob(f"{path.name}.*"))

    first = cluster.start(checkout, *TARGETS, changes=changes)
    cuts = {CUT: ("scancel", CUT_JOB), ALONE: ("scontrol", "suspend", ALONE_JOB)}
    while cuts:  # whichever comes first: a training takes seconds
        path = first.wait_for(lambda: next(filter(has_checkpoint, cuts), None))
        *words, job = cuts.pop(path)
        cluster.command(*words, cluster.number_of(job))
    first.wait_for(lambda: "going on after epoch" in (checkout.path / CUT_LOG).read_text())
    first.signal(signal.SIGKILL)
    _, said = first.end(timeout=60)
    cluster.command("scancel", cluster.number_of(CUT_JOB))
    refused = [
        cluster.start(checkout, *TARGETS, changes=changes).end(timeout=120) for _ in range(2)
    ]
    cluster.command("scontrol", "resume", cluster.number_of(ALONE_JOB))
    cluster.wait_until_empty(timeout=300)
    killed = ClusterRun(checkout, said, cluster.jobs(submitted(said)))

    unlocked = copied(checkout, folder / "unlocked")
    without_answer = folder / "bin/squeue"
    without_answer.parent.mkdir()
    without_answer.write_text("#!/bin/sh\nexit 1\n")
    without_answer.chmod(0o755)
    path = {"PATH": f"{without_answer.parent}:{os.environ['PATH']}"}
    refused.append(
        cluster.start(unlocked, *TARGETS, changes=changes, environment=path).end(timeout=120)
    )

    last = cluster.start(checkout, *TARGETS, changes=changes)
    undisturbed = copied(finished, folder / "undisturbed")
    here = undisturbed.smoke(TARGETS[0], changes=changes)
    assert here.returncode == 0, here.stdout
    status, said = last.end(timeout=300)
    assert status == 0, said
    last = ClusterRun(checkout, said, cluster.jobs(submitted(said)))
    return Interrupted(killed, refused, unlocked, last, undisturbed)
