"""A run through Slurm that is cut off in all ways, and what becomes of it."""

import os
import signal
from dataclasses import dataclass

from local_slurm import submitted
from named_jobs import ALONE, CUT, CUT_JOB, CUT_LOG
from runs import ClusterRun

from checkouts import Checkout
from held_jobs import HeldJobs, is_running
from waiting import read_if_there, wait_until

# Trainings that are still to be done after the smoke preset, with a checkpoint after every epoch.
OTHER = "{checkpoint_minutes: 0, nets: {epochs: {shallow: 20, deep: 20}}}"
# The first is cut off again and again; the second goes on alone, as a training of days would.
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
    changes[0].write_text(OTHER)
    checkout = finished.copied(folder / "killed")
    cut, alone = (HeldJobs.of(checkout, each) for each in (CUT, ALONE))
    log = checkout.path / CUT_LOG

    def cancel(process):
        """What scancel does to the training that waits as this process."""
        cluster.command("scancel", cluster.number_of(CUT_JOB))
        wait_until(lambda: "asked to stop" in read_if_there(log) or not is_running(process))
        cut.let_go(process)

    first = cluster.start(checkout, *TARGETS, changes=changes)
    goes_on_alone = first.wait_for_held(alone)
    cancel(first.wait_for_held(cut))
    again = first.wait_for_held(cut)
    assert "going on after epoch" in log.read_text()
    first.signal(signal.SIGKILL)
    _, said = first.end()
    cancel(again)
    refused = [cluster.start(checkout, *TARGETS, changes=changes).end() for _ in range(2)]
    alone.let_go(goes_on_alone)
    cluster.wait_until_empty()
    for held in (cut, alone):
        held.end()
    killed = ClusterRun(checkout, said, cluster.jobs(submitted(said)))

    unlocked = checkout.copied(folder / "unlocked")
    without_answer = folder / "bin/squeue"
    without_answer.parent.mkdir()
    without_answer.write_text("#!/bin/sh\nexit 1\n")
    without_answer.chmod(0o755)
    path = {"PATH": f"{without_answer.parent}:{os.environ['PATH']}"}
    refused.append(cluster.start(unlocked, *TARGETS, changes=changes, environment=path).end())

    last = cluster.start(checkout, *TARGETS, changes=changes)
    undisturbed = finished.copied(folder / "undisturbed")
    here = undisturbed.smoke(TARGETS[0], changes=changes)
    assert here.returncode == 0, here.stdout
    status, said = last.end()
    assert status == 0, said
    last = ClusterRun(checkout, said, cluster.jobs(submitted(said)))
    return Interrupted(killed, refused, unlocked, last, undisturbed)
