"""Snakemake's locks and notes, such that nothing of a killed run has to be cleared by hand.

Its lock files outlive a killed Snakemake; ``guard`` tells who is alive. A power loss may leave
notes that are no text, and a disk may be full or read-only: both are met before any job starts.
"""

import os
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from snakemake.exceptions import CliException, LockException
from snakemake.persistence.file import FilePersistence

from coarsegrain.errors import CoarsegrainError
from pipeline.disk import check_can_be_written, problem_of
from pipeline.stage import KEEP
from pipeline.staleness.guard import at_work
from pipeline.staleness.submitted import note_for_jobs, why_not_to_start


class SurvivingLocks(FilePersistence):  # type: ignore[misc]
    """Snakemake's notes on a disk that may be spoilt, full or shared with other runs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with _in_sentences():
            super().__init__(*arguments, **options)
        self._is_a_run = False

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Snakemake's locks on the files of this run, but none that a killed run has left."""
        self._is_a_run = True
        workflow = self.dag.workflow
        _leave_what_holds(workflow.dag_settings)
        note = {"host": socket.gethostname(), "pid": os.getpid(), "cluster": False}
        if not workflow.local_exec:
            note |= note_for_jobs(workflow)
        locks = super().lock()
        outputs = [Path(each) for job in self.dag.needrun_jobs() for each in job.output]
        with ExitStack() as stay:
            with _in_sentences():
                check_can_be_written([Path(self.path), *(each.parent for each in outputs)])
                stay.enter_context(
                    at_work(Path(self.path), note, start=lambda before: self._lock(locks, before))
                )
            try:
                yield
            finally:
                locks.__exit__(None, None, None)

    def _lock(self, locks: Any, before: list[dict[str, Any]] | None) -> None:
        if before is not None:  # nobody else is at work: what is there is of killed runs
            shutil.rmtree(self._backup_path, ignore_errors=True)
            if self.locked:
                if reason := why_not_to_start([each for each in before if each.get("cluster")]):
                    raise CliException(reason)
                super()._delete_locks()
                os.makedirs(self._lockdir, exist_ok=True)
        try:
            locks.__enter__()
        except LockException:
            raise CliException(
                "Another run is at work on the same files in this folder. Wait until it has ended."
            ) from None

    def _read_locks(self) -> Iterator[tuple[str, str]]:
        """The files of other runs. A note that is no text is none: nobody can tell of what."""
        with suppress(UnicodeDecodeError):
            yield from super()._read_locks()

    def _write_locks(self, lock_type: str, keys: Iterable[str]) -> None:
        """Snakemake removes the folder of locks with every run that ends, others' locks too."""
        os.makedirs(self._lockdir, exist_ok=True)
        super()._write_locks(lock_type, keys)

    def _delete_locks(self) -> None:
        """This run's own locks; with --unlock, which is no run, all of them."""
        if not self._is_a_run:
            super()._delete_locks()
        for lock in self._lockfile.values():
            Path(lock).unlink(missing_ok=True)
        self._lockfile.clear()

    def drop_iocache(self) -> None:
        """Snakemake's first write of all, when a run is not a dry one."""
        with _in_sentences():
            super().drop_iocache()

    def _io_read(self, subject: str, id: str) -> dict[str, Any]:
        """One of Snakemake's own notes; one that a power loss has spoilt says nothing."""
        try:
            note = super()._io_read(subject, id)
            return note if isinstance(note, dict) else {}
        except UnicodeDecodeError:
            return {}

    def backup_output(self, path: Path) -> None:
        """Keep an output, under a second name, while a job makes a new file in its place."""
        backup = self._get_backup_path(path)
        backup.parent.mkdir(parents=True, exist_ok=True)
        backup.unlink(missing_ok=True)
        try:
            os.link(path, backup)
        except OSError:  # another file system, or one without links
            super().backup_output(path)

    def restore_output(self, path: Path) -> bool:
        """Put back what was there before a job that failed; False if nothing was."""
        backup = self._get_backup_path(path)
        if not backup.exists():
            return False
        if path.exists() and path.samefile(backup):
            backup.unlink()
            return True
        return bool(super().restore_output(path))


def _leave_what_holds(settings: Any) -> None:
    """Have the jobs of this run leave outputs that are already what they would make.

    A job is planned because one before it runs. Where that gives the same bytes as before, nothing
    is to be done. Whoever forces jobs wants them computed.
    """
    os.environ.pop(KEEP, None)
    if not (settings.forceall or settings.forcerun or settings.forcetargets):
        os.environ[KEEP] = "1"


@contextmanager
def _in_sentences() -> Iterator[None]:
    """Have Snakemake print what is wrong and no more: for a WorkflowError it shows code, too."""
    try:
        yield
    except CoarsegrainError as error:
        raise CliException(str(error)) from None
    except OSError as error:
        raise CliException(f"Snakemake cannot take its notes: {problem_of(error)}") from None
