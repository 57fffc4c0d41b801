"""The sentence with which a file is refused: which file, what is wrong, what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coarsegrain.errors import StorageError

REMEDY = "run snakemake again: only this file and what depends on it are remade"


def refusal(path: Path, problem: str) -> StorageError:
    """Build the error for a file that ``problem``, e.g. ``"holds no variable spin"``, describes."""
    return StorageError(f"{path} {problem}; delete it and {REMEDY}.")


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
        yield
    except (StorageError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise StorageError(f"{path} does not exist; {REMEDY}.") from error
    except PermissionError as error:
        raise StorageError(f"{path} may not be read; check its permissions (ls -l).") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refusal(path, f"cannot be read as {kind} ({reason})") from error
