"""Rule collect_samplers: the table of all flows that were sampled with."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, samplers: Inputs, table: Output) -> None:
    """Put the tables of members, in the order given, into one."""
    write_table(table, pd.concat([read_table(path) for path in samplers], ignore_index=True))


if __name__ == "__main__":
    run(main)
