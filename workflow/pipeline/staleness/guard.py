"""Who is at work in a folder: locks that the kernel lets go of however a process ends.

Snakemake's own lock files outlive a killed Snakemake, and nothing tells them from those of one that
is at work. So every run also holds ``running.lock``, shared with other runs (two presets may run at
a time), and whoever gets it alone knows that no other is at work. ``starting.lock`` lets one run
start at a time.
"""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def held(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    """Hold a lock on the file ``path``, made if need be, and give its descriptor.

    Args:
        path: the file.
        how: ``fcntl.LOCK_EX`` or ``LOCK_SH``, with ``LOCK_NB`` not to wait.
    Raises:
        BlockingIOError: it is held by others, or the file system knows no locks, and waiting was
            not asked for.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(file, how)
        except OSError as error:
            if error.errno not in NO_LOCKS_HERE:
                raise
            if how & fcntl.LOCK_NB:  # there may be others: nobody can know
                raise BlockingIOError from error
        yield file
    finally:
        os.close(file)


@contextmanager
def at_work(
    folder: Path, note: dict[str, Any], start: Callable[[list[dict[str, Any]] | None], None]
) -> Iterator[None]:
    """Be one of the runs in ``folder``.

    Args:
        folder: where the lock files are.
        note: what later runs may want to know of this one.
        start: called before any other run can start: with the notes of the runs before if no other
            run is at work, with None if one is.
    """
    running = folder / "running.lock"
    with ExitStack() as stay:
        with held(folder / "starting.lock"):
            before = None
            with suppress(BlockingIOError), held(running, fcntl.LOCK_EX | fcntl.LOCK_NB) as file:
                before = _notes(file)
            stay.enter_context(held(running, fcntl.LOCK_SH))
            start(before)
            # Only now are those of the runs before done with: this run might have been refused.
            with running.open("a" if before is None else "w") as notes:
                print(json.dumps(note), file=notes)
        yield


def _notes(file: int) -> list[dict[str, Any]]:
    found = []
    for line in os.pread(file, 1 << 20, 0).decode(errors="replace").splitlines():
        with suppress(ValueError):
            note = json.loads(line)
            if isinstance(note, dict):
                found.append(note)
    return found
