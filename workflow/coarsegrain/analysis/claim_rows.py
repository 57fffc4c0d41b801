"""Rows of a run's tables, as claims select them."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from coarsegrain.analysis.criterion import ClaimError

Tables = Mapping[str, pd.DataFrame]
Rows = Mapping[str, Any]


class NoNumber(Exception):
    """The tables do not give the statistic; why, and what that means for the claim."""

    def __init__(self, why: str, means: Literal["fails", "cannot be told", "not tested"]) -> None:
        super().__init__(why)
        self.means = means


def chosen(table: pd.DataFrame, rows: Rows, name: str) -> pd.DataFrame:
    """The rows of a table that are selected.

    Args:
        table: of that name.
        rows: by column the value, a list of values, a pattern of text, or bounds.
        name: for messages.
    Raises:
        NoNumber: there are none.
        ClaimError: there is no such column, or it does not hold what is wanted.
    """
    keep = np.ones(len(table), dtype=bool)
    for column, wanted in rows.items():
        try:
            keep &= _matches(column_of(table, column, name), wanted)
        except ValueError:
            raise ClaimError(
                f"column {column} of {name} holds text, which {wanted} does not select."
            ) from None
    if not keep.any():
        raise NoNumber(f"{name} has no rows with {in_words(rows)}", "not tested")
    return table[keep]


def _matches(cells: pd.Series, wanted: Any) -> npt.NDArray[np.bool_]:
    if isinstance(wanted, list):
        return np.asarray(np.any([_matches(cells, each) for each in wanted], axis=0))
    if isinstance(wanted, Mapping):
        bounds = {"at_least": -np.inf, "at_most": np.inf, **wanted}
        if len(bounds) > 2:
            raise ClaimError(f"rows take at_least and at_most, not {dict(wanted)}.")
        x = cells.to_numpy(dtype=np.float64)
        return np.asarray((x >= bounds["at_least"]) & (x <= bounds["at_most"]))
    if isinstance(wanted, str):
        texts = [str(cell) for cell in cells]
        return np.array([wanted == text or fnmatchcase(text, wanted) for text in texts], dtype=bool)
    return np.asarray(np.isclose(cells.to_numpy(dtype=float), wanted, rtol=1e-9, atol=0))


def in_words(rows: Rows) -> str:
    """A selection as a sentence has it."""
    return ", ".join(f"{column} {_wanted(each)}" for column, each in rows.items()) or "anything"


def _wanted(each: Any) -> str:
    """What a column is to be: "at least 16", "2 or 4", or the value itself."""
    if isinstance(each, Mapping):
        return " and ".join(f"{key.replace('_', ' ')} {bound}" for key, bound in each.items())
    if isinstance(each, list):
        return " or ".join(map(str, each))
    return str(each)


def table_of(name: str, tables: Tables) -> pd.DataFrame:
    """A table by its name; a ``ClaimError`` if there is none."""
    if name not in tables:
        raise ClaimError(f"there is no table {name} (there are {', '.join(sorted(tables))}).")
    return tables[name]


def column_of(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    """A column of a table, ``name`` being for messages; a ``ClaimError`` if there is none."""
    if column not in table.columns:
        raise ClaimError(f"{name} has no column {column} (it has {', '.join(table.columns)}).")
    return table[column]
