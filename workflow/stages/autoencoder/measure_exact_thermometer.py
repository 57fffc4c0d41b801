"""Rule measure_exact_thermometer: β of lattices before and after each map, by their energy."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.exact_thermometer import exact_beta
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, lattices: Input, autoencoders: Inputs, table: Output) -> None:
    """Thermometer E on the test lattices, on sign() of every autoencoder's output, and decimated.

    Lattices that are decimated twice are measured at their own size, if that is even.
    """
    before = read_lattices(lattices)
    betas, L = np.unique(before.betas), before.spins.shape[1]
    measured: list[tuple[str, object, np.ndarray]] = [("input", pd.NA, before.spins)]
    for member, path in enumerate(autoencoders):
        output = read_network(path)(before.spins).reshape(before.spins.shape)
        measured.append(("autoencoder_sign", member, np.where(output < 0, -1, 1).astype(np.int8)))
    if L % 4 == 0 and L >= 8:
        measured.append(("decimated", pd.NA, decimate(before.spins, 2)))
    rows = []
    for name, of_member, spins in measured:
        for beta, at_beta in zip(betas, spins.reshape(len(betas), -1, *spins.shape[1:])):
            rows.append((beta, name, of_member, *exact_beta(at_beta)))
    columns = ["beta", "lattices", "member", "beta_exact", "std_error"]
    write_table(table, pd.DataFrame(rows, columns=columns))


if __name__ == "__main__":
    run(main)
