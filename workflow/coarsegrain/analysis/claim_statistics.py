"""The statistic of a claim, declared as data: which rows of which table become which number.

    table, column     where the numbers stand
    rows              {column: value, [values], "CG-*", or {at_least: a, at_most: b}}; of a table of
                      variants also settings, by dotted key (claim_variants)
    minus             a column, or other rows, subtracted point by point
    along, reduce     several points per member (one for each β, say), and what makes one of them
    level             of the reduction stays_below: the value that points are to stay below
    difference_of,    two selections, laid over ``rows``, whose values are subtracted or divided
    ratio_of          member by member

and one source of the error:

    unit              the column (or the two columns, crossed) that counts independent members:
                      95 % by Student's t
    error, sigmas     a column of standard errors over lattices, for numbers without any net: the
                      interval is so many of them wide on either side
    exact             true: there is no error
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from coarsegrain.analysis.claim_rows import NoNumber, Rows, Tables, column_of, in_words
from coarsegrain.analysis.claim_variants import Selection, selected
from coarsegrain.analysis.criterion import ClaimError
from coarsegrain.analysis.flow import interpolated_crossing, line_crossing
from coarsegrain.analysis.intervals import FloatArray, Interval, crossed_interval, t_interval

Reduction = Callable[[FloatArray, FloatArray, FloatArray], float]


def line_chi_squared(x: FloatArray, y: FloatArray, error: FloatArray) -> float:
    """χ² per degree of freedom of the best straight line through points with errors."""
    fit = np.polyval(np.polyfit(x, y, 1, w=1 / error), x)
    return float((((y - fit) / error) ** 2).sum() / (len(x) - 2))


def stays_below(x: FloatArray, y: FloatArray) -> float:
    """From which x on the points, joined by straight pieces, are at most 0.

    Args:
        x: (k,) increasing.
        y: (k,)
    Returns:
        The first x if all points are; NaN if the last is not.
    """
    above = np.flatnonzero(y > 0)
    if len(above) == 0:
        return float(x[0])
    last = above[-1]
    if last == len(x) - 1:
        return float("nan")
    share = y[last] / (y[last] - y[last + 1])
    return float(x[last] + share * (x[last + 1] - x[last]))


# name → function of (along, values, their standard errors)
REDUCTIONS: dict[str, Reduction] = {
    "mean": lambda x, y, error: float(y.mean()),
    "min": lambda x, y, error: float(y.min()),
    "max": lambda x, y, error: float(y.max()),
    "largest": lambda x, y, error: float(abs(y).max()),
    "half_range": lambda x, y, error: float(np.ptp(y) / 2),
    "line_crossing": lambda x, y, error: line_crossing(x, y),
    "points_crossing": lambda x, y, error: interpolated_crossing(x, y),
    "stays_below": lambda x, y, error: stays_below(x, y),
    "line_chi_squared": line_chi_squared,
}


# reductions that carry errors of the points over to their result
WITH_SIGMAS = ("mean", "min", "max", "largest")


@dataclass(frozen=True)
class Statistic:
    """See the module."""

    table: str
    column: str
    rows: Rows
    unit: tuple[str, ...] = ()
    along: str | None = None
    reduce: str | None = None
    level: float | None = None
    minus: str | Rows | None = None
    difference_of: tuple[Rows, Rows] | None = None
    ratio_of: tuple[Rows, Rows] | None = None
    error: str | None = None
    sigmas: float | None = None
    exact: bool = False

    @property
    def selections(self) -> list[Selection]:
        """All rows that it is made of."""
        pair = self.difference_of or self.ratio_of or ({},)
        found = [{**self.rows, **rows} for rows in pair]
        if isinstance(self.minus, Mapping):
            found += [{**rows, **self.minus} for rows in found]
        return [Selection(self.table, rows) for rows in found]

    @property
    def interval(self) -> str:
        """What its interval is, as ``claims.csv`` has it."""
        if self.exact:
            return "exact"
        return "95 %" if self.sigmas is None else f"{self.sigmas:g}σ"


def statistic(given: Mapping[str, Any]) -> Statistic:
    """Read a statistic.

    Raises:
        ClaimError: it has no table, column or source of error, or makes no sense; the sentence
            begins in lower case, to follow a name.
    """
    known = [field.name for field in fields(Statistic)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ClaimError(
            f"its statistic has {', '.join(unknown)}, which is none of {', '.join(known)}."
        )
    for name in ("table", "column"):
        if not isinstance(given.get(name), str):
            raise ClaimError(f"its statistic names no {name}.")
    values = {"rows": {}, **{name: value for name, value in given.items() if value is not None}}
    unit = values.get("unit", ())
    values["unit"] = (unit,) if isinstance(unit, str) else tuple(unit)
    for name in ("difference_of", "ratio_of"):
        if name in values:
            given_pair = values[name] if isinstance(values[name], list | tuple) else ()
            values[name] = tuple(given_pair)
            if len(given_pair) != 2 or not all(isinstance(each, Mapping) for each in given_pair):
                raise ClaimError(f"its statistic's {name} takes two selections of rows.")
    made = Statistic(**values)
    problem = _problem(made)
    if problem:
        raise ClaimError(f"its statistic {problem}.")
    return made


def _problem(made: Statistic) -> str | None:
    """What makes no sense in a statistic, if anything."""
    sources = [bool(made.unit), made.sigmas is not None, made.exact]
    if sum(sources) != 1 or len(made.unit) > 2:
        return (
            "has no source of error, or several: give it one of unit (one or two columns that "
            "count independent members), error with sigmas, or exact: true"
        )
    if (made.along is None) != (made.reduce is None):
        return "needs both of along and reduce, or neither"
    if made.reduce is not None and made.reduce not in REDUCTIONS:
        return f"reduces by {made.reduce}, which is none of {', '.join(REDUCTIONS)}"
    if (made.reduce == "stays_below") != (made.level is not None):
        return "needs both of level and the reduction stays_below, or neither"
    if made.difference_of and made.ratio_of:
        return "is both a difference and a ratio; give one"
    if made.reduce == "line_chi_squared" and made.error is None:
        return "needs the column of errors for line_chi_squared"
    if made.sigmas is not None and (
        made.error is None
        or made.reduce not in (None, *WITH_SIGMAS)
        or made.difference_of
        or made.ratio_of
        or made.minus is not None
    ):
        return (
            "has its error from sigmas: then it needs a column of errors, may be reduced by "
            f"{', '.join(WITH_SIGMAS)} only, and may subtract or divide nothing"
        )
    return None


def measure(made: Statistic, tables: Tables) -> Interval:
    """The number with its interval.

    Raises:
        NoNumber: there are no such rows, too few members, or no finite value.
        ClaimError: the table or a column is not there, or rows are ambiguous.
    """
    pair = made.difference_of or made.ratio_of
    if made.sigmas is not None:
        return _with_error(made, tables)
    if pair is None:
        values = _by_unit(made, tables, {})
    else:
        one, other = _paired(*(_by_unit(made, tables, rows) for rows in pair))
        values = one - other if made.difference_of else one / other
    if made.exact:
        (value,) = values.to_numpy(dtype=float).tolist()
        return Interval(value, value, value)
    _refuse_what_is_not_finite(made.reduce or made.column, values)
    if values.index.nlevels == 2:
        return _crossed(values)
    if len(values) < 2:
        raise NoNumber(f"one {made.unit[0]} has no spread, so there is no error", "not tested")
    return t_interval(values.to_numpy(dtype=float))


def _by_unit(made: Statistic, tables: Tables, rows: Rows) -> pd.Series:
    """One value per unit; indexed by the columns that count units."""
    points = _points(made, tables, {**made.rows, **rows})
    units = [name for name in made.unit if name in points.columns]
    names = units or ["all"]
    found = {key: _reduced(made, group) for key, group in points.assign(all=0).groupby(names)}
    index = pd.MultiIndex.from_tuples(list(found), names=names)
    return pd.Series(list(found.values()), index=index)


def _reduced(made: Statistic, points: pd.DataFrame) -> float:
    x, y, error = (points[name].to_numpy() for name in ("x", "y", "error"))
    if made.reduce is None:
        return float(y[0])
    if made.reduce == "stays_below" and len(x) < 2:
        raise NoNumber(f"there is only one {made.along}", "not tested")
    return REDUCTIONS[made.reduce](x, y - (made.level or 0), error)


def _points(made: Statistic, tables: Tables, rows: Rows) -> pd.DataFrame:
    """Columns: those that count units, x (along), y, error; one row per point of each unit."""
    chosen = selected(Selection(made.table, rows), tables)
    units = [name for name in made.unit if column_of(chosen, name, made.table).notna().any()]
    points = chosen[units].copy()
    points["x"] = column_of(chosen, made.along, made.table) if made.along else 0
    points["y"] = _numbers(chosen, made.column, made.table)
    points["error"] = column_of(chosen, made.error, made.table) if made.error else np.nan
    if isinstance(made.minus, str):
        points["y"] -= _numbers(chosen, made.minus, made.table)
    if points.duplicated([*units, "x"]).any():
        raise ClaimError(
            f"rows {in_words(rows)} of {made.table} hold several numbers for one "
            f"{' and '.join(filter(None, (*units, made.along))) or 'statistic'}; narrow them."
        )
    if isinstance(made.minus, Mapping):
        points = _less(points, _points(replace(made, minus=None), tables, {**rows, **made.minus}))
    return points.sort_values([*units, "x"])


def _less(points: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Other points subtracted; where a column is missing in them, they stand for all its values.

    So does a single point of each unit.
    """
    units = [name for name in others.columns if name not in ("x", "y", "error")]
    single = bool(units) and not others.duplicated(units).any()
    others = others.drop(columns=["error", *(["x"] if single else [])])
    others = others.rename(columns={"y": "less"})
    joined = points.merge(others, on=[name for name in others.columns if name != "less"])
    if joined.empty:
        raise NoNumber("the rows to subtract have no point in common", "not tested")
    return joined.assign(y=joined["y"] - joined["less"]).drop(columns="less")


def _with_error(made: Statistic, tables: Tables) -> Interval:
    """A number whose error stands beside it: ± so many standard errors.

    Of the smallest of several points, the ends are the smallest of their lower and of their upper
    ends: any of them may really be the smallest. Errors of a mean are added in quadrature.
    """
    points = _points(made, tables, made.rows)
    y, error = (points[name].to_numpy(dtype=float) for name in ("y", "error"))
    if made.reduce is None and len(points) != 1:
        raise ClaimError(f"rows {dict(made.rows)} of {made.table} hold {len(points)} numbers.")
    _refuse_what_is_not_finite(made.column, points["y"] + points["error"])
    half_width = float(made.sigmas or 0) * error
    if made.reduce == "mean":
        y, half_width = y.mean(), np.sqrt((half_width**2).sum()) / len(y)
    low, high = y - half_width, y + half_width
    if made.reduce == "largest":
        y, low, high = abs(y), np.maximum(abs(y) - half_width, 0), abs(y) + half_width
    extreme = np.min if made.reduce == "min" else np.max
    return Interval(*(float(extreme(each)) for each in (y, low, high)))


def _crossed(values: pd.Series) -> Interval:
    grid = values.unstack().to_numpy(dtype=float)  # noqa: PD010
    if np.isnan(grid).any():
        raise NoNumber(
            f"not every {values.index.names[0]} was measured with every {values.index.names[1]}",
            "not tested",
        )
    if min(grid.shape) < 2:
        raise NoNumber("one member of a net has no spread, so there is no error", "not tested")
    return crossed_interval(grid)


def _refuse_what_is_not_finite(name: str, values: pd.Series) -> None:
    missing = ~np.isfinite(values.to_numpy(dtype=float))
    if missing.any():
        raise NoNumber(
            f"{missing.sum()} of {len(values)} have no {name.replace('_', ' ')}",
            "fails" if missing.all() else "cannot be told",
        )


def _paired(one: pd.Series, other: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Values of the same member, side by side; what only one of the two has is left out."""
    if not set(one.index.names) & set(other.index.names):
        raise ClaimError("only one of the two selections of rows has members; give it two that do.")
    finer = max(one, other, key=lambda values: values.index.nlevels)
    both = one.rename("one").reset_index().merge(other.rename("other").reset_index())
    if both.empty:
        raise NoNumber("the two selections have no member in common", "not tested")
    both = both.set_index(list(finer.index.names))
    return both["one"], both["other"]


def _numbers(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    try:
        return column_of(table, column, name).astype(float)
    except ValueError:
        raise ClaimError(f"column {column} of {name} holds text, not numbers.") from None
