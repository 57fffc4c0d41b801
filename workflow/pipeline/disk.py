"""What can be wrong with a disk, in sentences, and asked for before any job starts."""

import errno
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from coarsegrain.errors import CoarsegrainError

FULL = "the disk is full; free some space and run again: what is finished stays."
SENTENCES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: "your share of the disk (quota) is used up; free some space and run again: "
    "what is finished stays.",
}
# results_dir alone does not help where Snakemake's own folder cannot be written either.
ELSEWHERE = (
    "or work in another folder: copy config.yaml there and run "
    "snakemake --snakefile <this checkout>/Snakefile --directory <that folder>"
)
REMEDIES = {
    errno.EROFS: f"; mount it for writing, {ELSEWHERE}",
    errno.EACCES: f"; change its permissions or its owner, {ELSEWHERE}",
    errno.EPERM: f"; change its permissions or its owner, {ELSEWHERE}",
}
# How HDF5 tells of the system's errors: in the text only.
IN_TEXT = re.compile(r"errno = (\d+)")


# What must fit, bytes.
ENOUGH = 1 << 16


def problem_of(error: OSError) -> str:
    """What a file operation failed of, as a sentence."""
    if error.filename is None or _number(error) in SENTENCES:
        return _why(error)
    return f"{error.filename}: {_why(error)}"


def _why(error: OSError) -> str:
    number = _number(error)
    if number in SENTENCES:
        return SENTENCES[number]
    if number is None:
        return str(error)
    what = os.strerror(number)
    return f"{what[0].lower()}{what[1:]}{REMEDIES.get(number, '')}."


def _number(error: OSError) -> int | None:
    if error.errno is None and (told := IN_TEXT.search(str(error))):
        return int(told[1])
    return error.errno


def check_can_be_written(folders: Iterable[Path]) -> None:
    """Write a few bytes where results would go: better now than after hours of computing.

    Args:
        folders: one that does not exist yet is asked for where it would be made.
    Raises:
        CoarsegrainError: nothing can be written to one of them, and why.
    """
    for folder in sorted({_existing(each) for each in folders}):
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(ENOUGH))
                file.flush()
        except OSError as error:
            raise CoarsegrainError(f"Nothing can be written to {folder}: {_why(error)}") from None


def _existing(folder: Path) -> Path:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder
