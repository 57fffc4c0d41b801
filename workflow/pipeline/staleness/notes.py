"""Snakemake's own notes, on a disk that may be full or read-only or was spoilt by a power loss."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snakemake.exceptions import CliException
from snakemake.persistence.file import FilePersistence

from coarsegrain.errors import CoarsegrainError
from pipeline.disk import problem_of


@contextmanager
def in_sentences() -> Iterator[None]:
    """Have Snakemake print what is wrong and no more: for a WorkflowError it shows code, too."""
    try:
        yield
    except CoarsegrainError as error:
        raise CliException(str(error)) from None
    except OSError as error:
        raise CliException(f"Snakemake cannot take its notes: {problem_of(error)}") from None


class Notes(FilePersistence):  # type: ignore[misc]
    """What Snakemake keeps in ``.snakemake/``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with in_sentences():
            super().__init__(*arguments, **options)

    def drop_iocache(self) -> None:
        """Snakemake's first write of all, when a run is not a dry one."""
        with in_sentences():
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
