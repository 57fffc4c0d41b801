"""Rule measure_exact_thermometers: β of lattices before and after each map, without any net."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.distant_thermometer import DistantThermometer
from coarsegrain.analysis.exact_thermometer import Reading, exact_beta
from coarsegrain.ising.observables import Spins
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run

DIGITS = 9
# Standard errors by which R must read more than the lowest β of its reference. There long waves
# differ from none by less than their scatter, and what is read would be the largest scatter.
CLEAR = 3


def main(
    *, lattices: Input, doubled: Input, reference: Input, autoencoders: Inputs, table: Output
) -> None:
    """Thermometers E and R on the test lattices, on sign() of autoencoders' output, and decimated.

    ``doubled``: lattices of twice the side at the same β, which two decimations bring to the side
    of the others. ``reference``: lattices that calibrate thermometer R; their range is what it can
    read, and beyond it, or where scatter may have made it, a reading is missing.
    """
    before, larger, certain = (read_lattices(path) for path in (lattices, doubled, reference))
    distant = DistantThermometer.from_lattices(certain.spins, certain.betas)
    betas = np.unique(before.betas)
    measured: list[tuple[str, object, Spins]] = [
        ("input", pd.NA, before.spins),
        ("decimated", pd.NA, decimate(larger.spins, 2).astype(np.int8)),
    ]
    for member, path in enumerate(autoencoders):
        output = read_network(path)(before.spins).reshape(before.spins.shape)
        measured.append(("autoencoder_sign", member, np.where(output < 0, -1, 1).astype(np.int8)))
    rows = []
    for name, of_member, spins in measured:
        for beta, at_beta in zip(betas, spins.reshape(len(betas), -1, *spins.shape[1:])):
            by_energy, by_distance = exact_beta(at_beta), distant.read(at_beta)
            if by_distance.beta - CLEAR * by_distance.std_error < distant.lowest:
                by_distance = Reading(np.nan, np.nan)
            rows.append(
                {
                    "beta": beta,
                    "lattices": name,
                    "member": of_member,
                    "beta_E": by_energy.beta,
                    "beta_E_error": by_energy.std_error,
                    "beta_R": by_distance.beta,
                    "beta_R_error": by_distance.std_error,
                    "change_E": by_energy.beta - beta,
                    "change_R": by_distance.beta - beta,
                }
            )
    write_table(table, pd.DataFrame(rows).round(DIGITS))


if __name__ == "__main__":
    run(main)
