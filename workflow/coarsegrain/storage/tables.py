"""Tables as CSV: one observation per row, for people and programs alike.

A float is written with as many digits as bring back exactly the same float64. Types follow from
the text when a table is read: a column of digits is a column of integers. Not-a-number is ``nan``;
an empty cell is the empty text. CSV has no checksum, so a digit that has become another digit is
not noticed here; the sidecar's SHA-256 tells.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # half a second, which jobs that only write a few rows need not pay
    import pandas as pd

from coarsegrain.storage.refusal import refusal, refusing

# More than ten times the largest table of the largest experiment.
MOST_BYTES = 2**26
MOST_CELLS = 2**21
LONGEST_NUMBER = 40  # letters: a float64 is written in at most 24


def write_table(path: Path, frame: "pd.DataFrame") -> None:
    r"""Write a table without its index; lines end with ``\n``.

    Args:
        path: the file, replaced if it is there.
        frame: columns named by text, each name once. float32 is written as the float64 it equals.
    Raises:
        ValueError: the columns are not named as they should.
    """
    problem = _problem_of_header(list(frame.columns))
    if problem:
        raise ValueError(f"the table for {path} {problem}.")
    singles = frame.select_dtypes("float32").columns
    frame.astype(dict.fromkeys(singles, "float64")).to_csv(
        path, index=False, lineterminator="\n", na_rep="nan", encoding="utf-8"
    )


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table of a few rows without pandas: what ``write_table`` writes, to the byte.

    Args:
        path: the file, replaced if it is there.
        rows: at least one; text, numbers or truth values, by columns that are the same in all.
    Raises:
        ValueError: the columns are not named as they should, or are not those of the first row.
    """
    names = list(rows[0])
    problem = _problem_of_header(names)
    if problem or any(list(row) != names for row in rows):
        raise ValueError(f"the table for {path} {problem or 'has rows with other columns'}.")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_as_float64(value) for value in row.values()] for row in rows)


def _as_float64(value: Any) -> Any:
    return float(value) if isinstance(value, np.floating) else value


def read_table(path: Path, columns: Iterable[str] | None = None) -> "pd.DataFrame":
    """Read a table that ``write_table`` wrote, with all its columns.

    Args:
        path: the file.
        columns: names that must be among its columns.
    Raises:
        StorageError: the file is missing, damaged or lacks a column; the sentence names it.
    """
    import pandas as pd

    with refusing(path, "a table"):
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES or text.count(",") + text.count("\n") > MOST_CELLS:
            raise refusal(path, f"is larger than any table of ours ({MOST_CELLS} cells)")
        if "\0" in text:
            raise refusal(path, "is no table: it holds binary data")
        if not text.endswith("\n"):
            raise refusal(path, "is empty" if not text else "is cut short in its last line")
        header, *rows = csv.reader(StringIO(text, newline=""), strict=True)
        problem = _problem_of_header(header)
        if problem:
            raise refusal(path, problem)
        for number, row in enumerate(rows, start=1):
            if len(row) != len(header):
                raise refusal(
                    path, f"has {len(row)} cells in row {number} but {len(header)} columns"
                )
        missing = [name for name in columns or () if name not in header]
        if missing:
            raise refusal(path, f"has no column {', '.join(missing)} (it has {', '.join(header)})")
        cells = zip(*rows) if rows else [()] * len(header)
        return pd.DataFrame({name: _typed(column) for name, column in zip(header, cells)})


def _typed(cells: tuple[str, ...]) -> "pd.Series | npt.NDArray[np.generic]":
    """A column of integers, floats, truth values or text, whichever the cells can be read as.

    pandas' own parser is exact or not by version; Python's, which numpy uses here, always is.
    """
    import pandas as pd

    numbers = (np.int64, np.float64)
    # numpy takes for every cell the memory of the longest
    for kind in numbers if max(map(len, cells), default=0) <= LONGEST_NUMBER else ():
        try:
            return np.array(cells, dtype=str).astype(kind)
        except (ValueError, OverflowError):
            continue
    if set(cells) <= {"True", "False"}:
        return np.array([cell == "True" for cell in cells])
    return pd.Series([None if cell == "nan" else cell for cell in cells], dtype="str")


def _problem_of_header(names: list[str]) -> str | None:
    """What is wrong with the columns' names, if anything."""
    if not names:
        return "has no columns"
    if not all(isinstance(name, str) and name.strip() for name in names):
        return "has a column without a name"
    if len(set(names)) < len(names):
        return "has two columns of one name"
    return None
