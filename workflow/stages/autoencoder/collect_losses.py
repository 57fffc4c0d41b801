"""Rule collect_losses: the table of all nets' losses."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, losses: Inputs, table: Output) -> None:
    """Put the losses of all nets and members, in the order given, into one table."""
    write_table(table, pd.concat([read_table(path) for path in losses], ignore_index=True))


if __name__ == "__main__":
    run(main)
