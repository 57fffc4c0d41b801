"""Rule collect_information: the tables of what all flows' latent variables have in common."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, parts: Inputs, totals: Inputs, table: Output, total_table: Output) -> None:
    """Put what was measured of all flows into one table each, in the order given."""
    for paths, made in ((parts, table), (totals, total_table)):
        write_table(made, pd.concat([read_table(path) for path in paths], ignore_index=True))


if __name__ == "__main__":
    run(main)
