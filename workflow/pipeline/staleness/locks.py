"""One run at a time in a results folder, and nothing of a killed one to clear by hand.

A run holds one lock of the kernel (flock) for every results folder that it works in: alone where
it writes, shared where it only reads. The kernel lets go of it however the run ends. Files outside
the results folders, of rules of a workflow that imports this one, have one lock together.

The locked files lie in ``.snakemake/runs/``: results folders may be read-only, or be copied to
where no run is; and what is in ``.snakemake/locks/`` goes with any other workflow's run that ends
here. They are empty but while a run writes, and after it was killed: then they say by which name
Slurm knows its jobs.
"""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from snakemake.exceptions import CliException

from pipeline.disk import check_can_be_written
from pipeline.memory import check_fits, memory_mb
from pipeline.run_progress import note_plan
from pipeline.sidecars import KEEP
from pipeline.staleness.notes import Notes, in_sentences
from pipeline.staleness.submitted import note_for_jobs, why_not_to_start

NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
# The results folders of this workflow, one of every import of it.
RESULTS: set[str] = set()
# In a folder's place: whatever is in none of them.
OTHER_FILES = "other files in this folder"


class RunLocks(Notes):
    """Snakemake's notes, with these locks in the place of its own."""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be a run; or say why not, if another one or its jobs are at work in the same folders."""
        workflow = self.dag.workflow
        _leave_what_holds(workflow.dag_settings)
        note = {"host": socket.gethostname(), "pid": os.getpid()}
        if not workflow.local_exec:
            note |= note_for_jobs(workflow)
        outputs = [Path(each) for each in self.all_outputfiles()]
        with ExitStack() as stay:
            with in_sentences():
                check_can_be_written([Path(self.path), *(each.parent for each in outputs)])
                if workflow.local_exec:
                    check_fits(_needs(self.dag.needrun_jobs()), memory_mb())
                for folder, lock, writes in self._folders():
                    stay.enter_context(at_work(folder, lock, note if writes else None))
                for each in outputs:
                    self.cleanup_backup(each)  # a killed run's
            note_plan(self.dag)
            yield

    @property
    def locked(self) -> bool:
        """Whether another run may be writing in the same folders: what a dry run tells."""
        for _, lock, _ in self._folders():
            with suppress(FileNotFoundError), lock.open() as file:
                free = _flock(file, fcntl.LOCK_SH)
                if free is False or (free is None and file.read(1)):
                    return True
        return False

    def cleanup_locks(self) -> None:
        """With --unlock: forget killed runs, whatever has become of the jobs they submitted."""
        with in_sentences(), ExitStack() as stay:
            folders = {self._lock_of(each): each for each in [*sorted(RESULTS), OTHER_FILES]}
            files = [stay.enter_context(_opened(lock)) for lock in folders]
            for folder, file in zip(folders.values(), files):
                if _flock(file, fcntl.LOCK_EX) is False:
                    raise CliException(
                        f"A run is at work on {folder}, so nothing is unlocked. "
                        "Wait until it has ended, or end it."
                    )
            for file in files:
                file.truncate(0)

    def _folders(self) -> list[tuple[str, Path, bool]]:
        """The folders that this run works in, their locks, and whether it writes there."""
        reads = set(map(_folder_of, self.all_inputfiles()))
        writes = set(map(_folder_of, self.all_outputfiles()))
        found: dict[Path, tuple[str, bool]] = {}
        for folder in sorted(reads | writes):
            lock = self._lock_of(folder)  # one for two names of a folder
            name, written = found.get(lock, (folder, False))
            found[lock] = name, written or folder in writes
        return [(name, lock, written) for lock, (name, written) in found.items()]

    def _lock_of(self, folder: str) -> Path:
        return lock_of(folder, Path(self.path))


def lock_of(folder: str, notes: Path = Path(".snakemake")) -> Path:
    """The file that a run locks which works in a folder, by whatever name or link it is given.

    Args:
        folder: a results folder, or ``OTHER_FILES``.
        notes: Snakemake's folder.
    """
    if folder == OTHER_FILES:
        return Path(notes, "runs", "run.lock")
    place = Path(os.path.realpath(folder))
    here = Path.cwd()
    inside = place.relative_to(here if place.is_relative_to(here) else "/")
    return Path(notes, "runs", inside, "run.lock")


@contextmanager
def at_work(folder: str, lock: Path, note: Mapping[str, Any] | None) -> Iterator[None]:
    """Be a run that works in a folder.

    Args:
        folder: as it is called in sentences.
        lock: the file to lock.
        note: what the next run should know if this one is killed; None if it writes nothing.
    Raises:
        CliException: another run, or what a killed one has submitted, is at work there.
    """
    with _opened(lock) as file:
        free = _flock(file, fcntl.LOCK_EX if note else fcntl.LOCK_SH)
        if free is False:
            raise CliException(f"Another run is at work on {folder}. Wait until it has ended.")
        file.seek(0)
        before = file.read()
        if free is None and before:
            raise CliException(
                f"Another run is at work on {folder}, or was killed: this file system has no locks "
                f"(flock) that would tell. What it left says {before.strip()}. If it has ended, "
                "call the same command with --unlock, then without."
            )
        if reason := why_not_to_start(_submitted(before)):
            raise CliException(reason)
        if note:
            file.truncate(0)
            json.dump(note, file)
            file.flush()
        try:
            yield
        finally:
            if note:
                file.truncate(0)


def _submitted(before: str) -> list[dict[str, Any]]:
    """A killed run's note, if it submitted jobs; one that a power loss has spoilt says nothing."""
    with suppress(ValueError):
        note = json.loads(before)
        if isinstance(note, dict) and note.get("cluster"):
            return [note]
    return []


def _folder_of(path: str) -> str:
    within = [each for each in RESULTS if path.startswith(f"{each}/")]
    return max(within, key=len, default=OTHER_FILES)


def _opened(lock: Path) -> TextIO:
    lock.parent.mkdir(parents=True, exist_ok=True)
    return lock.open("a+", errors="replace")


def _flock(file: TextIO, how: int) -> bool | None:
    """Whether the lock on a file could be had; None where the file system knows no locks."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS_HERE:
            raise
        return None
    return True


def _needs(jobs: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """Names of jobs and the memory that they ask for, where it is a number yet."""
    for job in jobs:
        needed = job.resources.get("mem_mb")
        if isinstance(needed, int):
            yield " ".join([job.rule.name, *filter(None, job.wildcards)]), needed


def _leave_what_holds(settings: Any) -> None:
    """Have the jobs of this run leave outputs that are already what they would make.

    A job is planned because one before it runs. Where that gives the same bytes as before, nothing
    is to be done. Whoever forces jobs wants them computed.
    """
    os.environ.pop(KEEP, None)
    if not (settings.forceall or settings.forcerun or settings.forcetargets):
        os.environ[KEEP] = "1"
