"""Every test of every set of lattices, as a score against β or by test."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from coarsegrain.figures.style import GREY, describe, in_words, styled
from coarsegrain.ising.critical_point import BETA_CRITICAL

FloatArray = npt.NDArray[np.float64]

# Tests made in bins of β: colour and marker.
BY_BETA = {
    "energy": ("#0072B2", "o"),
    "heat capacity": ("#D55E00", "s"),
    "energy distribution": ("#009E73", "^"),
}
FAILED = "#CC0000"
# Scores beyond this are drawn at the edge.
MOST = 9.0
# A test that passed or failed without a probability between 0 and 1.
WITHOUT_SCORE = "steps"


@styled
def certificates(table: pd.DataFrame) -> Figure:
    """Draw the scores of all tests, with the limits of the family-wise level.

    Args:
        table: columns ``set``, ``test``, ``beta_min``, ``beta_max``, ``score`` (in standard
            deviations), ``level`` (p-value below which a test fails) and ``passed``.
    """
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1])
    scored = table[table["test"] != WITHOUT_SCORE]
    spread = scored["beta_max"] - scored["beta_min"]
    widest = spread == spread.groupby(scored["set"]).transform("max")
    several = scored.groupby(["set", "test"])["test"].transform("size") > 1
    in_bins = scored["test"].isin(list(BY_BETA)) & ~(several & widest)

    for test, (colour, marker) in BY_BETA.items():
        rows = scored[in_bins & (scored["test"] == test)]
        middle = (rows["beta_min"] + rows["beta_max"]) / 2
        _draw(left, middle.to_numpy(dtype=float), _score(rows), rows, colour, marker, test)
    left.axvline(BETA_CRITICAL, color=GREY, lw=0.9, ls=":", zorder=0)
    left.set_xlabel("inverse temperature β (J = k$_B$ = 1)")
    left.set_ylabel("score (standard deviations)")
    left.set_title("Tests at one β, or in a bin of β")
    left.legend(loc="upper left", ncols=3)

    rest = scored[~in_bins]
    names = list(dict.fromkeys(rest["test"]))
    for place, name in enumerate(names):
        rows = rest[rest["test"] == name]
        # one above the other, in the order of the sets
        beside = np.linspace(-0.3, 0.3, len(rows)) if len(rows) > 1 else np.zeros(1)
        colour, marker = BY_BETA.get(name, ("#332288", "o"))
        _draw(right, _score(rows), place + beside, rows, colour, marker, name)
    right.set_yticks(range(len(names)), names)
    right.set_ylim(len(names) - 0.5, -0.5)
    right.set_xlabel("score (standard deviations)")
    right.set_title("Tests of whole sets")

    limit = float(-ndtri(table["level"].min() / 2))
    for span, line, ends in (
        (left.axhspan, left.axhline, left.set_ylim),
        (right.axvspan, right.axvline, right.set_xlim),
    ):
        span(-1, 1, color="#000000", alpha=0.06, lw=0)
        for each in (-limit, limit):
            line(each, color=FAILED, lw=1, ls="--")
        ends(-MOST - 0.5, MOST + 0.5)
    failed = table.loc[~table["passed"], "set"].nunique()
    verdict = "all passed" if failed == 0 else f"{failed} failed"
    describe(
        figure,
        title=f"Certificates of {in_words(table['set'].nunique(), 'set')} of lattices: {verdict}",
        note="A mark is one test of one set, its p-value told as a standard normal deviate. "
        "Grey: one standard deviation.\n"
        "Dashed: the limit of the set with the most tests, for a chance of 1e-6 that a correct set "
        f"fails any test. {_of_steps(table)}",
    )
    return figure


def _score(rows: pd.DataFrame) -> FloatArray:
    return np.asarray(np.clip(rows["score"].to_numpy(dtype=float), -MOST, MOST))


def _draw(
    axes: Axes,
    x: FloatArray,
    y: FloatArray,
    rows: pd.DataFrame,
    colour: str,
    marker: str,
    label: str,
) -> None:
    """Marks of one test; those of failures are large and red."""
    passed = rows["passed"].to_numpy(dtype=bool)
    fine = axes.plot(x[passed], y[passed], ls="", marker=marker, ms=3, color=colour, label=label)
    fine[0].set_alpha(0.6)
    axes.plot(x[~passed], y[~passed], ls="", marker="X", ms=9, color=FAILED, zorder=4)


def _of_steps(table: pd.DataFrame) -> str:
    rows = table[table["test"] == WITHOUT_SCORE]
    if rows.empty:
        return "The lattices were sampled exactly: no number of steps to test."
    short = int((~rows["passed"]).sum())
    told = "enough" if short == 0 else f"too few in {short} of them"
    return f"Steps of the Markov chains, in {in_words(len(rows), 'set')}: {told}."
