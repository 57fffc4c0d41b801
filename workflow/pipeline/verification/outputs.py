"""The verdict on every file that the workflow would make. Nothing but reading is done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pipeline.job_list import Job
from pipeline.verification.changes import described
from pipeline.verification.records import (
    SIDECAR,
    Checksums,
    Record,
    UnreadableRecordError,
    read_record,
)

OTHER_INPUTS = "it would be made from other files now"
UPSTREAM = "a file that it was made from is damaged, missing or stale"


class State(Enum):
    """What a file is.

    WAITING: its own sidecar agrees with all, but what it was made from must be made again; if the
    same bytes come out, it stays. UNSEALED: it is there, and its rule writes no sidecar.
    """

    FINE = "fine"
    STALE = "stale"
    WAITING = "waiting"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNSEALED = "unsealed"


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
    jobs: Sequence[Job], results: Path, progress: Callable[[int], None] = lambda done: None
) -> list[Verdict]:
    """Judge all outputs of ``jobs``, those that others are made from first.

    Args:
        jobs: all jobs of the workflow.
        results: the results folder.
        progress: called with the number of jobs that are done.
    """
    judging = _Judging(jobs, results)
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
    inputs = list(dict.fromkeys(job.inputs))
    if job.stage is None:
        return inputs
    words = {word for values in job.options.values() for word in values}
    return [path for path in inputs if path in words]


class _Judging:
    """The verdicts so far, and what they were reached with."""

    def __init__(self, jobs: Sequence[Job], results: Path) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._results = results
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
        if job.stage is None:
            return (State.WAITING, [UPSTREAM]) if waits else (State.UNSEALED, [])
        try:
            record = self._records[path] = read_record(Path(path))
        except UnreadableRecordError as error:
            return State.DAMAGED, [str(error)]
        if checksum != record.sha256:
            return State.DAMAGED, ["its bytes are not those that its sidecar tells of"]
        changes = [*self._own_changes(record, job), *self._changed_inputs(record, job)]
        if changes:
            return State.STALE, changes
        return (State.WAITING, [UPSTREAM]) if waits else (State.FINE, [])

    def _must_be_made(self, path: str) -> bool:
        verdict = self.verdicts.get(path)
        return verdict is not None and verdict.state not in (State.FINE, State.UNSEALED)

    def _own_changes(self, record: Record, job: Job) -> Iterator[str]:
        """In what its rule is another one now."""
        if record.stage != job.stage:
            yield f"it was made by {record.stage}, and {job.stage} makes it now"
            return
        if difference := described(record.spec, job.spec):
            yield f"its spec changed: {difference}"
        if [record.code] != job.options.get("code"):
            yield f"the code of {job.stage} changed"

    def _changed_inputs(self, record: Record, job: Job) -> Iterator[str]:
        """Which of the files that it was made from are others now."""
        read = _read(job)
        recorded = [record.checksum_of(path, self._results) for path in read]
        if None in recorded or len(read) != len(record.inputs):
            yield OTHER_INPUTS
        for path, before in zip(read, recorded):
            if before is not None and self._made_as(path) not in (None, before):
                yield f"an input's content changed: {path}"

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
