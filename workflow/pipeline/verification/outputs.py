"""The verdict on every file that the workflow would make. Nothing but reading is done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pipeline.job_list import Job
from pipeline.staleness.checksums import Checksums
from pipeline.staleness.judgement import NOT_ITS_BYTES, changes_since
from pipeline.staleness.records import SIDECAR, Record, UnreadableRecordError, read_record

UPSTREAM = "a file that it was made from is damaged, missing or stale"


class State(Enum):
    """What a file is.

    WAITING: its own sidecar agrees with all, but what it was made from must be made again; if the
    same bytes come out, it stays.
    """

    FINE = "fine"
    STALE = "stale"
    WAITING = "waiting"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True)
class Verdict:
    """What is known of one file.

    Attributes:
        path: of the file.
        state: what it is.
        reasons: clauses that say why; the same for the same cause.
        remade: whether Snakemake, asked for what was asked here, would make it again by itself.
    """

    path: str
    state: State
    reasons: tuple[str, ...]
    remade: bool


def judge(
    jobs: Sequence[Job], progress: Callable[[int], None] = lambda done: None
) -> list[Verdict]:
    """Judge all outputs of ``jobs``, those that others are made from first.

    Args:
        jobs: all jobs of the workflow.
        progress: called with the number of jobs that are done.
    """
    judging = _Judging(jobs)
    for done, job in enumerate(_in_order(jobs), start=1):
        for path in job.outputs:
            if not path.endswith(SIDECAR):
                judging.judge(path, job)
        progress(done)
    return list(judging.verdicts.values())


def _in_order(jobs: Sequence[Job]) -> Iterator[Job]:
    """Each job after those that make its inputs."""
    makers = {path: job for job in jobs for path in job.outputs}
    seen: set[int] = set()

    def with_makers(job: Job) -> Iterator[Job]:
        if id(job) in seen:
            return
        seen.add(id(job))
        for path in job.inputs:
            if path in makers:
                yield from with_makers(makers[path])
        yield job

    for job in jobs:
        yield from with_makers(job)


def _read(job: Job) -> list[str]:
    """The inputs that a job reads; others must only be there, as certificates must."""
    words = {word for values in job.options.values() for word in values}
    return [path for path in dict.fromkeys(job.inputs) if path in words]


class _Judging:
    """The verdicts so far, and what they were reached with."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._checksums = Checksums()
        self._records: dict[str, Record] = {}
        # Only a rule whose output Snakemake deletes after use declares the sidecar too.
        self._temporary = {
            path for job in jobs for path in job.outputs if path + SIDECAR in job.outputs
        }

    def judge(self, path: str, job: Job) -> None:
        state, reasons = self._state(path, job)
        if state is State.MISSING and path in self._temporary:
            return
        self.verdicts[path] = Verdict(path, state, tuple(reasons), job.pending)

    def _state(self, path: str, job: Job) -> tuple[State, list[str]]:
        try:
            checksum = self._checksums.of(path)
        except OSError as error:
            return State.DAMAGED, [f"it cannot be read ({error.strerror})"]
        if checksum is None:
            return State.MISSING, []
        waits = any(self._must_be_made(each) for each in _read(job))
        try:
            record = self._records[path] = read_record(Path(path))
        except UnreadableRecordError as error:
            return State.DAMAGED, [str(error)]
        if checksum != record.sha256:
            return State.DAMAGED, [NOT_ITS_BYTES]
        changes = list(changes_since(record, job, self._made_as))
        if changes:
            return State.STALE, changes
        return (State.WAITING, [UPSTREAM]) if waits else (State.FINE, [])

    def _must_be_made(self, path: str) -> bool:
        verdict = self.verdicts.get(path)
        return verdict is not None and verdict.state is not State.FINE

    def _made_as(self, path: str) -> str | None:
        """The checksum that a file was made with, if it can be known: damage came later."""
        if path in self._records:
            return self._records[path].sha256
        try:
            return self._checksums.of(path)
        except OSError:
            return None


def by_state(verdicts: Sequence[Verdict]) -> Mapping[State, list[Verdict]]:
    """The verdicts of each state."""
    return {state: [each for each in verdicts if each.state is state] for state in State}
