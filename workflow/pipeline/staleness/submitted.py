"""Whether jobs of a killed run are still in Slurm's queue: they go on without their Snakemake.

The Slurm executor gives all jobs of a run one name, which it draws by itself. A beginning of our
own, kept in the run's note, tells them from all others.
"""

import os
import secrets
import socket
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

# Where other clusters can be meant, squeue does not show all there is.
OTHER_CLUSTERS = {"cluster", "clusters", "slurm_cluster"}
LONGEST_PREFIX = 50
ENDED = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "REVOKED", "TIMEOUT",
}  # fmt: skip
LOOK = (
    "A run that submits jobs to a cluster was killed here, and its jobs may still go on. Look with "
    "squeue; when none of them is left (scancel), call the same command with --unlock, then "
    "without."
)


def note_for_jobs(workflow: Any) -> dict[str, Any]:
    """Have the jobs of a run bear a name by which they are found, before any is submitted.

    Args:
        workflow: Snakemake's, with an executor that submits jobs.
    Returns:
        What to keep of it; without ``jobs`` where the queue could not be asked later.
    """
    note = {"host": socket.gethostname(), "user": os.getuid(), "cluster": True}
    settings = workflow.executor_settings
    asked = {name for rule in workflow.rules for name in rule.resources}
    elsewhere = {"SLURM_CLUSTERS", "SBATCH_CLUSTERS"} & set(os.environ)
    if not hasattr(settings, "jobname_prefix") or asked & OTHER_CLUSTERS or elsewhere:
        return note
    name = "_".join(filter(None, [settings.jobname_prefix, f"coarsegrain-{secrets.token_hex(4)}"]))
    if len(name) > LONGEST_PREFIX:
        return note
    settings.jobname_prefix = name
    return {**note, "jobs": name}


def why_not_to_start(notes: Sequence[Mapping[str, Any]]) -> str | None:
    """Say why a run must not follow killed ones now; None if none of their jobs is left.

    Args:
        notes: of the killed ones, so far as they submit jobs.
    """
    if not notes:
        return None
    names = tuple(f"{note.get('jobs')}_" for note in notes)
    here = {"host": socket.gethostname(), "user": os.getuid()}
    if any("jobs" not in note or not here.items() <= note.items() for note in notes):
        return LOOK
    # a user's SQUEUE_… variables would hide jobs
    settings = {key: each for key, each in os.environ.items() if not key.startswith("SQUEUE_")}
    command = ["squeue", "--noheader", "--states=all", "--format=%i|%T|%j", f"--user={os.getuid()}"]
    try:
        answer = subprocess.run(
            command, env=settings, capture_output=True, text=True, timeout=60, check=True
        )
        jobs = [line.split("|", 2) for line in answer.stdout.splitlines()]
        left = [job for job, state, name in jobs if name.startswith(names) and state not in ENDED]
    except (OSError, subprocess.SubprocessError, ValueError):
        return LOOK
    if not left:
        return None
    numbers = " ".join(left)
    return (
        f"A run was killed here, and jobs that it submitted still go on: {numbers}. "
        f"Let them end, or end them (scancel {numbers}); then call the same command again."
    )
