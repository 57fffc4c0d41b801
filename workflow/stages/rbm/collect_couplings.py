"""Rule collect_couplings: the table of all machines' couplings."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, couplings: Inputs, table: Output) -> None:
    """Put the couplings of all machines, in the order given, into one table."""
    write_table(table, pd.concat([read_table(path) for path in couplings], ignore_index=True))


if __name__ == "__main__":
    run(main)
