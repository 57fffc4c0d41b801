"""Rule collect_losses: the tables of all nets' losses."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, losses: Inputs, amplitudes: Inputs, table: Output, by_amplitude: Output) -> None:
    """Put the losses of all nets and members, in the order given, into one table; so with each."""
    write_table(table, together(losses))
    write_table(by_amplitude, together(amplitudes))


def together(paths: Sequence[Path]) -> pd.DataFrame:
    """The rows of several tables."""
    return pd.concat([read_table(path) for path in paths], ignore_index=True)


if __name__ == "__main__":
    run(main)
