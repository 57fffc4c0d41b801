"""SHA-256 of files as they are now; of files that no one has touched since, from memory."""

import contextlib
import json
import os
import time
from pathlib import Path

from pipeline.sidecars import sha256

# A file that changed so recently may change again without its times telling (seconds): file systems
# count time in steps, some of them in seconds.
UNSETTLED = 2.0


class Checksums:
    """SHA-256 of files, each read at most once."""

    def __init__(self) -> None:
        self._known: dict[str, str | OSError] = {}

    def of(self, path: str) -> str | None:
        """A file's checksum; None if there is no such file.

        Raises:
            OSError: it is there and cannot be read.
        """
        if path not in self._known:
            try:
                self._known[path] = self._read(path)
            except OSError as error:
                self._known[path] = error
        known = self._known[path]
        if isinstance(known, FileNotFoundError | NotADirectoryError):
            return None
        if isinstance(known, OSError):
            raise known
        return known

    def _read(self, path: str) -> str:
        return sha256(Path(path))


class RememberedChecksums(Checksums):
    """Checksums that are kept in a file from run to run.

    A file is read again when its size, its times or its inode are others. The time of its last
    change (ctime) is the kernel's: unlike the modification time, no program can set it back.
    """

    def __init__(self, memory: Path) -> None:
        """Use the file ``memory``, which need not exist."""
        super().__init__()
        self._memory = memory
        self._remembered: dict[str, list[object]] = {}
        self._seen: dict[str, list[object]] = {}
        with contextlib.suppress(OSError, ValueError):  # gone or damaged: files are read again
            remembered = json.loads(memory.read_bytes())
            if isinstance(remembered, dict):
                self._remembered = remembered

    def _read(self, path: str) -> str:
        found = os.stat(path)
        state = [
            found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
        ]  # fmt: skip
        before = self._remembered.get(path)
        if isinstance(before, list) and before[1:] == state and isinstance(before[0], str):
            checksum = before[0]
        else:
            checksum = super()._read(path)
        if time.time() - max(found.st_mtime, found.st_ctime) > UNSETTLED:
            self._seen[path] = [checksum, *state]
        return checksum

    def keep(self) -> None:
        """Write what is known now, if the folder can be written to."""
        told = {**self._remembered, **self._seen}
        if told == self._remembered:
            return
        partial = self._memory.with_name(f"{self._memory.name}.partial-{os.getpid()}")
        try:
            partial.write_text(json.dumps(told))
            os.replace(partial, self._memory)
        except OSError:  # full or read-only: then files are read again next time
            with contextlib.suppress(OSError):
                partial.unlink()
