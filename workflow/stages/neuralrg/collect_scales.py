"""Rule collect_scales: the tables of what all flows pass on from scale to scale."""

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(
    *,
    energies: Inputs,
    couplings: Inputs,
    patterns: Inputs,
    exponents: Inputs,
    examples: Inputs,
    energies_table: Output,
    couplings_table: Output,
    patterns_table: Output,
    exponents_table: Output,
    examples_table: Output,
) -> None:
    """Put what was measured of all flows into one table each, in the order given."""
    for paths, made in (
        (energies, energies_table),
        (couplings, couplings_table),
        (patterns, patterns_table),
        (exponents, exponents_table),
        (examples, examples_table),
    ):
        write_table(made, pd.concat([read_table(path) for path in paths], ignore_index=True))


if __name__ == "__main__":
    run(main)
