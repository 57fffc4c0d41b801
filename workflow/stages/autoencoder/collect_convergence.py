"""Rule collect_convergence: which trainings have come to rest."""

import pandas as pd

from coarsegrain.analysis.convergence import fall_over_last_quarter, has_converged
from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, histories: Inputs, table: Output) -> None:
    """Say of every training how much its validation objective fell over the last quarter."""
    rows = []
    for path in histories:
        history = read_table(path, ("model", "member", "epoch", "split", "objective", "ended_by"))
        validation = history[history["split"] == "validation"].sort_values("epoch")
        fall = fall_over_last_quarter(validation["objective"].to_numpy(dtype=float))
        last = validation.iloc[-1]
        rows.append(
            {
                "model": last["model"],
                "member": last["member"],
                "epochs": last["epoch"],
                "fall": fall,
                "ended_by": last["ended_by"],
                "converged": has_converged(fall),
            }
        )
    write_table(table, pd.DataFrame(rows))


if __name__ == "__main__":
    run(main)
