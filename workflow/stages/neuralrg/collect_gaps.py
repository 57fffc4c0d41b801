"""Rule collect_gaps: the tables of all flows, and of the Gaussian that they have to beat."""

import pandas as pd

from coarsegrain.analysis.gaussian_baseline import best_gaussian
from coarsegrain.ising.dual import DualIsing
from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, Spec, run

DIGITS = 9


def main(
    *,
    gaps: Inputs,
    observed: Inputs,
    coverage: Inputs,
    histories: Inputs,
    gaps_table: Output,
    observed_table: Output,
    coverage_table: Output,
    training_table: Output,
    gaussian_table: Output,
    spec: Spec,
) -> None:
    """Put what was measured of all flows, in the order given, into one table each.

    Spec: L, beta: of the best Gaussian, whose gap has a closed form.
    """
    for parts, table in (
        (gaps, gaps_table),
        (observed, observed_table),
        (coverage, coverage_table),
        (histories, training_table),
    ):
        write_table(table, pd.concat([read_table(path) for path in parts], ignore_index=True))
    dual = DualIsing(spec["L"], spec["beta"])
    rows = [
        {
            "L": dual.L,
            "T": 1 / dual.beta,
            "symmetric": symmetric,
            "gap_nats": best_gaussian(dual, symmetric=symmetric).gap(),
        }
        for symmetric in (False, True)
    ]
    write_table(gaussian_table, pd.DataFrame(rows).round(DIGITS))


if __name__ == "__main__":
    run(main)
