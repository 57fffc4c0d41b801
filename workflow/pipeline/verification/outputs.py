"""The verdict on every file that the workflow would make. Nothing but reading is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.job_list import Job
from pipeline.sidecars import SIDECAR
from pipeline.staleness.checksums import Checksums
from pipeline.staleness.judgement import Judge, State

UPSTREAM = "a file that it was made from is damaged, missing or stale"


@dataclass(frozen=True)
class Verdict:
    """What is known of one file.

    Attributes:
        path: of the file.
        state: what it is.
        reasons: clauses that say why; the same for the same cause.
        remade: whether Snakemake, asked for what was asked here, would make it again by itself.
        accepted: the stage and the day, if it is fine because other code was accepted for it.
    """

    path: str
    state: State
    reasons: tuple[str, ...]
    remade: bool
    accepted: tuple[str, str] | None = None


def judge(
    jobs: Sequence[Job], progress: Callable[[int], None] = lambda done: None
) -> list[Verdict]:
    """Judge all outputs of ``jobs``.

    Args:
        jobs: all jobs of the workflow, each after those that make its inputs.
        progress: called with the number of jobs that are done.
    """
    makers = {path: job for job in jobs for path in job.outputs}
    # Only a rule whose output Snakemake deletes after use declares the sidecar too.
    temporary = {path for path in makers if path + SIDECAR in makers}
    judge = Judge(makers, Checksums())
    verdicts: dict[str, Verdict] = {}
    for done, job in enumerate(jobs, start=1):
        # Those of its inputs that it reads: others must only be there, as certificates must.
        read = [
            verdicts[path] for files in job.options.values() for path in files if path in verdicts
        ]
        waits = any(each.state is not State.FINE for each in read)
        for path in job.outputs:
            if path.endswith(SIDECAR):
                continue
            state, reasons = judge.judge(path, job)
            if state is State.MISSING and path in temporary:
                continue
            if state is State.FINE and waits:
                state, reasons = State.WAITING, [UPSTREAM]
            day = judge.accepted_on(path, job) if state is State.FINE else None
            accepted = (str(job.stage), day) if day else None
            verdicts[path] = Verdict(path, state, tuple(reasons), job.pending, accepted)
        progress(done)
    return list(verdicts.values())


def by_state(verdicts: Sequence[Verdict]) -> Mapping[State, list[Verdict]]:
    """The verdicts of each state."""
    return {state: [each for each in verdicts if each.state is state] for state in State}
