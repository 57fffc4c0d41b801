"""What claims read of variants: tables joined over all of them, and trainings of their nets.

A table of variants is called by the name of the experiment's own with ``variants/`` before it. It
has the own rows of the experiment itself and of its variants, and before them the column
``variant`` and one for each setting, by dotted key, that any of the variants changes. Rows of a
statistic may name such settings. Those that it does not name are the experiment's own: so a claim
about the penalty is not told from nets with other activations, too.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from coarsegrain.analysis.claim_rows import (
    NoNumber,
    Rows,
    Tables,
    chosen,
    column_of,
    in_words,
    table_of,
)

#: Before the name of a table that is joined over variants.
VARIANTS = "variants/"
VARIANT, BASE = "variant", "base"
#: How the names of tables end that say which trainings have converged.
CONVERGENCE = "convergence"


class Selection(NamedTuple):
    """Rows of a table, by its name."""

    table: str
    rows: Rows


def selected(selection: Selection, tables: Tables) -> pd.DataFrame:
    """The rows of a table, or of a table of variants.

    Raises:
        NoNumber: there are none.
        ClaimError: there is no such table or column.
    """
    name, rows = selection
    if not name.startswith(VARIANTS):
        return chosen(table_of(name, tables), rows, name)
    own = table_of(name.removeprefix(VARIANTS), tables)
    settings = {key: each for key, each in rows.items() if key not in own.columns}
    if name not in tables or not settings.keys() <= set(tables[name].columns):
        raise NoNumber(f"it needs variants of {' and '.join(settings)}", "not tested")
    under = _under_settings(tables[name], own, rows)
    try:
        chosen(under, settings, name)
    except NoNumber:
        raise NoNumber(f"no variant has {in_words(settings)}", "not tested") from None
    return chosen(under, rows, name)


def _under_settings(table: pd.DataFrame, own: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """The rows in which settings that are not named are the experiment's own, each of them once.

    Two variants may have the same settings. Their results are the same then, to the last bit.
    """
    variants = table[VARIANT].to_numpy()
    keep = np.ones(len(table), dtype=bool)
    for setting in _settings(table, own):
        if setting not in rows:
            values = table[setting].to_numpy()
            keep &= values == values[variants == BASE][0]
    kept = table[keep].drop(columns=VARIANT)
    return kept.drop_duplicates() if len(set(variants[keep])) > 1 else kept


def _settings(table: pd.DataFrame, own: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name not in own.columns and name != VARIANT]


def values_of(selection: Selection, column: str, tables: Tables) -> list[Any]:
    """The values that a setting has in the rows selected, in order.

    Raises:
        NoNumber: it has fewer than two, so that nothing is told over it.
    """
    found = selected(Selection(selection.table, {column: "*", **selection.rows}), tables)
    values: list[Any] = np.unique(column_of(found, column, selection.table).to_numpy()).tolist()
    if len(values) < 2:
        raise NoNumber(f"it needs variants of several {column}", "not tested")
    return values


def trainings(selections: Iterable[Selection], tables: Tables) -> pd.DataFrame:
    """How the trainings ended behind rows that were selected: rows of the tables of convergence.

    Nets that a variant has not trained itself are the experiment's own.
    """
    ends = {name: table for name, table in tables.items() if name.endswith(CONVERGENCE)}
    own = {name: table for name, table in ends.items() if not name.startswith(VARIANTS)}
    found: dict[str, pd.DataFrame] = {}  # by the rows, of which many selections have the same
    for selection in selections:
        for name, table in own.items():
            joined = ends.get(VARIANTS + name)
            if joined is None or not selection.table.startswith(VARIANTS):
                found[name] = table
                continue
            settings = _settings(joined, table)
            rows = {key: each for key, each in selection.rows.items() if key in settings}
            if (under := f"{name} {sorted(rows.items())}") not in found:
                found[under] = _trained(table, joined, rows)
    every = list(found.values())
    return pd.concat(every, ignore_index=True).drop_duplicates() if every else pd.DataFrame()


def _trained(table: pd.DataFrame, joined: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """The trainings of variants with these settings; of the experiment where they have none."""
    try:
        own = chosen(_under_settings(joined, table, rows), rows, CONVERGENCE)[list(table.columns)]
    except NoNumber:  # they train nothing
        return table
    return pd.concat([own, table[~table["model"].isin(own["model"])]])
