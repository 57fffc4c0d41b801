"""Rule measure_local_order: bonds and islands of lattices before and after each map."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.local_order import correlation, majority_filter, share_of_islands
from coarsegrain.analysis.statistics import standard_error
from coarsegrain.ising.observables import Spins
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run

DIGITS = 9


def main(*, lattices: Input, autoencoders: Inputs, table: Output) -> None:
    """Correlation of neighbours and share of islands at every β, and their changes by the map.

    Of lattices, of sign() of every autoencoder's output, of a majority filter's and of lattices
    decimated twice. The rows "two sites apart" hold C(2) of the lattices themselves, and no
    islands. Changes are taken lattice by lattice, and so are their errors.
    """
    before = read_lattices(lattices)
    spins, betas = before.spins, np.unique(before.betas)

    def after(name: str, member: object, mapped: Spins) -> tuple[str, object, list[np.ndarray]]:
        return name, member, [correlation(mapped, 1), share_of_islands(mapped)]

    measured = [
        after("input", pd.NA, spins),
        after("majority filter", pd.NA, majority_filter(spins)),
        after("decimated", pd.NA, decimate(spins, 2).astype(np.int8)),
        ("two sites apart", pd.NA, [correlation(spins, 2), np.full(len(spins), np.nan)]),
    ]
    for member, path in enumerate(autoencoders):
        output = read_network(path)(spins).reshape(spins.shape)
        measured.append(
            after("autoencoder_sign", member, np.where(output < 0, -1, 1).astype(np.int8))
        )
    of_input = measured[0][2]
    frames = []
    for name, of_member, values in measured:
        columns: dict[str, object] = {"beta": betas, "lattices": name, "member": of_member}
        for quantity, found, initially in zip(("C1", "islands"), values, of_input):
            at_beta, change = (each.reshape(len(betas), -1) for each in (found, found - initially))
            columns |= {
                quantity: at_beta.mean(axis=1),
                f"{quantity}_error": standard_error(at_beta),
                f"{quantity}_change": change.mean(axis=1),
                f"{quantity}_change_error": standard_error(change),
            }
        frames.append(pd.DataFrame(columns))
    write_table(table, pd.concat(frames, ignore_index=True).round(DIGITS))


if __name__ == "__main__":
    run(main)
