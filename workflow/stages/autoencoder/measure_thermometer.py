"""Rule measure_thermometer: predicted against actual β on lattices of their own."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.exact_thermometer import exact_betas
from coarsegrain.analysis.statistics import standard_error
from coarsegrain.nets.network import read_network
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, lattices: Input, thermometers: Inputs, table: Output) -> None:
    """Mean prediction of every thermometer, in the order given, at every β of the test set.

    And the mean squared errors on single lattices: of the net, of the likeliest β by a lattice's
    energy within the range of the test, and of the best constant, which is no thermometer.
    """
    test = read_lattices(lattices)
    betas, rows = np.unique(test.betas), []
    by_energy = exact_betas(test.spins, float(betas[0]), float(betas[-1]))

    def squared_error(predicted: np.ndarray) -> np.ndarray:
        """At every β, of single lattices."""
        errors = (predicted - test.betas) ** 2
        return np.asarray(errors.reshape(len(betas), -1).mean(axis=1))

    for member, path in enumerate(thermometers):
        single = read_network(path)(test.spins).reshape(-1).astype(np.float64)
        predicted = single.reshape(len(betas), -1)
        rows.append(
            pd.DataFrame(
                {
                    "beta": betas,
                    "beta_predicted": predicted.mean(axis=1),
                    "std_error": standard_error(predicted),
                    "member": member,
                    "squared_error": squared_error(single),
                    "squared_error_by_energy": squared_error(by_energy),
                    "squared_error_of_constant": squared_error(np.full_like(single, betas.mean())),
                }
            )
        )
    write_table(table, pd.concat(rows, ignore_index=True))


if __name__ == "__main__":
    run(main)
