"""Rule collect_exponents: the exponents of all maps, and which of them act as RG maps."""

import pandas as pd

from coarsegrain.analysis.rg_verdict import verdict_table
from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, exponents: Inputs, table: Output, verdicts: Output) -> None:
    """Put the maps' tables, in the order given, into one, and judge each map."""
    collected = pd.concat([read_table(path) for path in exponents], ignore_index=True)
    write_table(table, collected)
    write_table(verdicts, verdict_table(collected))


if __name__ == "__main__":
    run(main)
