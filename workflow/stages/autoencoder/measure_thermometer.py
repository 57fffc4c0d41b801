"""Rule measure_thermometer: predicted against actual β on lattices of their own."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.statistics import standard_error
from coarsegrain.nets.network import read_network
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, lattices: Input, thermometers: Inputs, table: Output) -> None:
    """Mean prediction of every thermometer, in the order given, at every β of the test set."""
    test = read_lattices(lattices)
    betas, rows = np.unique(test.betas), []
    for member, path in enumerate(thermometers):
        predicted = read_network(path)(test.spins).reshape(len(betas), -1).astype(np.float64)
        rows.append(
            pd.DataFrame(
                {
                    "beta": betas,
                    "beta_predicted": predicted.mean(axis=1),
                    "std_error": standard_error(predicted),
                    "member": member,
                }
            )
        )
    write_table(table, pd.concat(rows, ignore_index=True))


if __name__ == "__main__":
    run(main)
