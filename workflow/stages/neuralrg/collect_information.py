"""Rule collect_information: the table of all flows' mutual information."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, parts: Inputs, table: Output) -> None:
    """Put what was measured of all flows into one table, in the order given."""
    write_table(table, pd.concat([read_table(path) for path in parts], ignore_index=True))


if __name__ == "__main__":
    run(main)
