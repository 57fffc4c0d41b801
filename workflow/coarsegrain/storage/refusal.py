"""The sentence with which a file is refused: which file, and what is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coarsegrain.errors import ForbiddenFileError, MissingFileError, StorageError

LONGEST = 400


def refusal(path: Path, problem: str) -> StorageError:
    """Build the error for a file that ``problem``, e.g. ``"holds no variable spin"``, describes."""
    return StorageError(f"{path} {one_line(problem)}.")


def one_line(text: str) -> str:
    """Text of a file that may hold anything, fit for a line on a terminal."""
    words = " ".join(text.split())
    return "".join(each if each.isprintable() else "?" for each in words[:LONGEST])


@contextmanager
def refusing(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a parser raises on ``path`` into a StorageError.

    Parsers of binary formats raise nearly anything on damaged files (KeyError, RuntimeError,
    UnicodeDecodeError, …), so everything is caught but running out of memory, which says nothing
    about the file.

    Args:
        path: the file that is read inside the ``with`` block.
        kind: what it should be, e.g. ``"a set of lattices"``.
    Raises:
        StorageError: whatever went wrong, as a sentence.
    """
    try:
        # reading a pipe or a device might never end
        if path.exists() and not path.is_file() and not path.is_dir():
            raise refusal(path, f"is no file, so it is not {kind}")
        yield
    except (StorageError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} does not exist.") from error
    except PermissionError as error:
        raise ForbiddenFileError(f"{path} may not be read.") from error
    except Exception as error:
        reason = str(error)[:200] or type(error).__name__
        raise refusal(path, f"cannot be read as {kind} ({reason})") from error
