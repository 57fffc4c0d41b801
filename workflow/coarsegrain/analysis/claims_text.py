"""The table of verdicts for a terminal."""

import math
import textwrap
from collections.abc import Hashable, Mapping

import pandas as pd

from coarsegrain.analysis.claims import VERDICTS

WIDTH = 100


def claims_text(table: pd.DataFrame) -> str:
    """One line per judged claim, then what was not tested; at most ``WIDTH`` columns.

    Args:
        table: ``claims.csv``.
    """
    counts = table["verdict"].value_counts()
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts)
    title = "Published claims against this run (with 95 % intervals or, where marked, so many σ)"
    lines = [title, told, ""]
    lines += [_line("", "claim", "published", "measured", "verdict")]
    judged = table["verdict"] != "not tested"
    for row in table[judged].to_dict("records"):
        published = number(row["published"], 5)
        lines.append(_line(row["id"], row["claim"], published, measured(row), row["verdict"]))
    untested = ", ".join(table.loc[~judged, "id"])
    if untested:
        words = f"Not tested by this run: {untested}. The table claims.csv says why."
        lines += ["", *textwrap.wrap(words, WIDTH)]
    return "\n".join(lines)


def measured(row: Mapping[Hashable, object]) -> str:
    """A row's value with its interval, e.g. ``0.0391 [0.0371, 0.0411]``; with its σ if it has."""
    value, low, high = (float(str(row[name])) for name in ("measured", "low", "high"))
    if not math.isfinite(value):
        return "none"
    if low == high:
        return f"{value:.4g}"
    mark = f" {row['interval']}" if str(row["interval"]).endswith("σ") else ""
    # two digits of the interval's half width, in four decimals at most
    decimals = max(1 - math.floor(math.log10((high - low) / 2)), 0)
    if decimals > 4 and max(abs(low), abs(high)) < 1e-3:
        text = f"{value:.1e} [{low:.1e}, {high:.1e}]"
    else:
        # four decimals at most, three if there are signs and σ to be told, too
        decimals = min(decimals, 3 if mark and low < 0 else 4)
        value, low, high = (round(each, decimals) + 0.0 for each in (value, low, high))  # no -0
        text = f"{value:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"
    return text + mark


def number(published: object, digits: int) -> str:
    """A published value that may be a number or words, as text."""
    try:
        return f"{float(str(published)):.{digits}g}"
    except ValueError:
        return str(published)


def _line(*cells: str) -> str:
    widths = (3, 42, 10, 26, 14)
    short = [
        cell if len(cell) <= width else cell[: width - 1] + "…"
        for cell, width in zip(cells, widths)
    ]
    return (" ".join(f"{cell:<{width}}" for cell, width in zip(short, widths))).rstrip()
