"""Which trainings behind a claim have not come to rest, in words."""

import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import pandas as pd

from coarsegrain.analysis.claim_rows import Tables
from coarsegrain.analysis.claim_variants import CONVERGENCE, Selection, trainings
from coarsegrain.analysis.criterion import ClaimError

FALLS = "the validation objective still falls in the last quarter of the epochs"
RESTLESS = "trainings are not at rest in the last eighth of their updates"


def waiting_for(
    nets: Sequence[str], selections: Iterable[Selection], tables: Tables
) -> pd.DataFrame:
    """The trainings that have not converged, of those behind selected rows.

    Args:
        nets: names, or patterns such as ``CG-*``.
        selections: the rows; of tables of variants they name settings.
        tables: those of the run.
    Raises:
        ClaimError: there is no table of convergence, or it does not have a net.
    """
    table = trainings(selections, tables)
    if table.empty:
        raise ClaimError(f"it rests on trained nets, and there is no table {CONVERGENCE}.")
    found = []
    for pattern in nets:
        rows = table[[fnmatchcase(model, pattern) for model in table["model"]]]
        if rows.empty:
            raise ClaimError(f"it rests on {pattern}, which table {CONVERGENCE} does not have.")
        found.append(rows[~rows["converged"].astype(bool)])
    return pd.concat(found, ignore_index=True)


def told_of(waiting: Sequence[pd.DataFrame]) -> str:
    """Trainings that have not converged, by the worst of each net; empty if there are none."""
    falls: dict[str, float] = {}
    restless: dict[str, list[str]] = {}
    for _, row in (pair for table in waiting for pair in table.iterrows()):
        model = row["model"]
        if isinstance(row.get("told"), str):
            restless.setdefault(model, []).append(row["told"])
        else:
            falls[model] = max(row["fall"], falls.get(model, row["fall"]))
    sentences = {
        FALLS: [
            f"{model} (too few epochs)" if math.isnan(fall) else f"{model} ({100 * fall:.2g} %)"
            for model, fall in falls.items()
        ],
        RESTLESS: [f"{model} ({', '.join(each)})" for model, each in restless.items()],
    }
    return "; ".join(f"{words}: {', '.join(each)}" for words, each in sentences.items() if each)
