"""From the files that a stage writes to its outputs: whole ones, of the run that began last.

A killed Snakemake leaves its jobs behind, and they go on. If such a job is begun again, perhaps
with another spec, the older process must put nothing into place any more. So every process makes a
folder beside its outputs, through which they go, and takes away the folders of those before it.
Renaming is all that this needs: it is atomic, also on network file systems.
"""

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from pipeline.sidecars import sidecar_path

BEGUN_AGAIN = "the same job was begun again by another run; its outputs are left to that one."


class PendingOutputs:
    """The outputs of one job while they are made. They lie in one file system."""

    def __init__(self, finals: Iterable[Path]) -> None:
        """Make this process the one that makes ``finals``; none that began before does any more.

        Raises:
            CoarsegrainError: there is a folder in a file's place, or another process begins now.
            OSError: the outputs' folder cannot be written to.
        """
        self._finals = list(finals)
        for path in (each for final in self._finals for each in (final, sidecar_path(final))):
            if path.is_dir() and not path.is_symlink():
                raise CoarsegrainError(f"{path} is a folder, not a file; move it away.")
        own = str(secrets.randbelow(10**15))
        self.partials = self._partials(own)
        first = self._finals[0]
        self._folder = first.with_name(f".{first.name}.partial-{own}.job")
        for final in self._finals:
            final.parent.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir()
        try:
            self._take_over()
        except BaseException:
            self.discard()
            raise

    def put_in_place(self, write_sidecar: Callable[..., None]) -> None:
        """Move all files and their sidecars to where they belong, once all are on disk, whole.

        Args:
            write_sidecar: ``sidecars.write_sidecar`` with all that it needs but for paths.
        Raises:
            CoarsegrainError: a file is missing, or the same job was begun again.
        """
        moves = []
        with self._unless_begun_again():
            for k, (final, partial) in enumerate(zip(self._finals, self.partials)):
                if not partial.is_file():
                    self._folder.stat()
                    raise CoarsegrainError(f"the stage did not write {final}; this is a bug.")
                file, sidecar = self._folder / f"{k}", self._folder / f"{k}.json"
                write_sidecar(final, content=partial, at=sidecar)
                _flush(sidecar)
                _flush(partial)
                os.replace(partial, file)
                moves += [(sidecar, sidecar_path(final)), (file, final)]
            for source, place in moves:
                os.replace(source, place)

    def discard(self) -> None:
        """Remove what this process still has beside the outputs."""
        for partial in self.partials:
            with contextlib.suppress(OSError):
                partial.unlink()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _partials(self, process: str) -> list[Path]:
        """Names beside the outputs, with the same ending: matplotlib goes by it."""
        return [f.with_name(f".{f.stem}.partial-{process}{f.suffix}") for f in self._finals]

    def _take_over(self) -> None:
        """Take away what earlier processes have here: killed ones, and those that go on."""
        first = self._finals[0]
        for other in first.parent.glob(f".{glob.escape(first.name)}.partial-*.job"):
            if other == self._folder:
                continue
            taken = self._folder / other.name
            with self._unless_begun_again():
                try:
                    os.rename(other, taken)
                except FileNotFoundError:  # the other has ended, or was quicker
                    self._folder.stat()
            # Its files, and those of others that it had taken over itself when it was killed.
            for each in (taken, *taken.rglob("*.job")):
                for partial in self._partials(each.name.split("-")[-1].removesuffix(".job")):
                    partial.unlink(missing_ok=True)
            shutil.rmtree(taken, ignore_errors=True)

    @contextlib.contextmanager
    def _unless_begun_again(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if self._folder.is_dir():
                raise
            raise CoarsegrainError(BEGUN_AGAIN) from None


def _flush(path: Path) -> None:
    """Have a file's bytes on disk before its name is: else a power loss may leave it empty."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
