"""Whether an output is still what the workflow, as it is now, would make: for runs and for verify.

It is if its checksum is that in its sidecar, and if stage, spec and code digest, and the content of
every input that the stage read, are those in the sidecar. Times, names of folders and Snakemake's
own notes decide nothing. Content decides, so an input that was made again with the same bytes makes
nothing stale. An input that was deleted is judged by the sidecar that is left of it.
"""

import os
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from pipeline.job_list import Job
from pipeline.sidecars import Record, UnreadableRecordError, read_record
from pipeline.staleness.changes import described
from pipeline.staleness.checksums import Checksums

MISMATCH = "checksum mismatch: the file was changed after it was made"
OTHER_INPUTS = "it would be made from other files now"


def code_changed(stage: str) -> str:
    """The clause for a result that other code made."""
    return f"the code of {stage} changed"


def _as_it_is(job: Job) -> Job:
    return job


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


class Judge:
    """Compares files with their sidecars; reads each at most once."""

    def __init__(
        self,
        makers: Mapping[str, Any],
        checksums: Checksums,
        *,
        as_job: Callable[[Any], Job] = _as_it_is,
        accepting: Container[str | None] = (),
    ) -> None:
        """Judge files of a workflow.

        Args:
            makers: the job that makes each of its outputs.
            checksums: of files.
            as_job: makes a ``Job`` of one of ``makers``.
            accepting: stages whose code decides nothing about deleted files.
        """
        self._makers = makers
        self._checksums = checksums
        self._as_job = as_job
        self._accepting = accepting
        self._records: dict[str, Record | UnreadableRecordError] = {}
        self._why_unlike: dict[str, str | None] = {}

    def judge(self, path: str, job: Job) -> tuple[State, list[str]]:
        """What an output of ``job`` is (but for WAITING), and clauses that say why.

        Of a missing one they say in what it would differ from the one that its sidecar describes.
        """
        try:
            checksum = self._checksums.of(path)
        except OSError as error:
            return State.DAMAGED, [f"it cannot be read ({error.strerror})"]
        try:
            record = self._record(path)
        except UnreadableRecordError as error:
            return (State.MISSING, []) if checksum is None else (State.DAMAGED, [str(error)])
        if checksum not in (None, record.sha256):
            return State.DAMAGED, [MISMATCH]
        changes = list(self._changes(record, job))
        if checksum is None:
            return State.MISSING, changes
        return (State.STALE, changes) if changes else (State.FINE, [])

    def accepted_on(self, path: str, job: Job) -> str | None:
        """The day on which a fine file was taken for one of the code as it is, if it was."""
        record = self._record(path)
        days = [day for code, day in record.accepted if code == job.code]
        return days[-1] if days and record.code != job.code else None

    def _changes(self, record: Record, job: Job) -> Iterator[str]:
        """In what an output's sidecar differs from what would be made now."""
        if record.stage != job.stage:
            yield f"it was made by {record.stage}, and {job.stage} makes it now"
            return
        if difference := described(record.spec, job.spec):
            yield f"its spec changed: {difference}"
        if job.code not in record.codes:
            yield code_changed(str(job.stage))
        for option, before in record.inputs.items():
            now = job.options.get(option, [])
            if len(now) != len(before):
                yield OTHER_INPUTS
                return
            for path, (_, checksum) in zip(now, before):
                if why := self._unlike(path):
                    yield why
                elif self._content(path) not in (None, checksum):
                    yield f"an input's content changed: {path}"

    def _unlike(self, path: str) -> str | None:
        """Why a deleted input may be another one now, as a clause; None: it is the same, or there.

        Another workflow's own jobs have no sidecars: Snakemake's notes hold for them.
        """
        if path not in self._why_unlike:
            self._why_unlike[path] = None
            if path in self._makers and not os.path.lexists(path):
                self._why_unlike[path] = self._unlike_before(path, self._as_job(self._makers[path]))
        return self._why_unlike[path]

    def _unlike_before(self, path: str, job: Job) -> str | None:
        if job.stage is None:
            return None
        try:
            changes = list(self._changes(self._record(path), job))
        except UnreadableRecordError as error:
            return f"an input was deleted, and {error}: {path}"
        if job.stage in self._accepting and changes == [code_changed(job.stage)]:
            return None
        return f"an input was deleted, and would be made otherwise now: {path}" if changes else None

    def _content(self, path: str) -> str | None:
        """An input's checksum, None if it cannot be known.

        Of an output of this workflow it is that with which it was made: whether it is damaged or
        deleted since is said of that file itself.
        """
        if path in self._makers:
            with suppress(UnreadableRecordError):
                return self._record(path).sha256
        with suppress(OSError):
            return self._checksums.of(path)
        return None

    def _record(self, path: str) -> Record:
        if path not in self._records:
            try:
                self._records[path] = read_record(Path(path))
            except UnreadableRecordError as error:
                self._records[path] = error
        known = self._records[path]
        if isinstance(known, UnreadableRecordError):
            raise known
        return known
