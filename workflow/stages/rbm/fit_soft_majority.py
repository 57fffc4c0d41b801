"""Rule fit_soft_majority: how far the units of machines are soft majorities of 2 x 2 blocks."""

import numpy as np
import pandas as pd

from coarsegrain.rbm.machine import TiedMachine, read_machine
from coarsegrain.rbm.receptive_fields import receptive_fields, shuffled
from coarsegrain.rbm.soft_majority import fit_block, fit_conditional
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

DECIMALS = 9


def main(*, lattices: Input, machines: Inputs, table: Output, spec: Spec) -> None:
    """Fit the kernel to every unit, and to the same unit with its weights shuffled.

    Spec: machines, one entry for each file: labels (pairs of a column and its value, the same
    columns for all), and seed, of its shuffling; lattices, how many of the file the units are seen
    at work on. One unit per channel of a tied machine.

    Columns: explained, uneven, ring and beyond are shares of Σw²; told is the share of what the
    unit tells of a lattice, in nats, that the kernel on its block tells, too; silent is 1 for a
    unit without weights.
    """
    seen = read_lattices(lattices).spins[: spec["lattices"]]
    rows = []
    for path, entry in zip(machines, spec["machines"], strict=True):
        names = dict(entry["labels"])
        machine, _ = read_machine(path)
        first = machine.hidden_side**2 if isinstance(machine, TiedMachine) else 1
        fields = receptive_fields(machine)[::first]
        rng = np.random.default_rng(entry["seed"])
        for weights, these in (("trained", fields), ("shuffled", shuffled(fields, rng=rng))):
            by_weights = fit_block(these)
            on_lattices = fit_conditional(these, by_weights, seen)
            rows.append(
                pd.DataFrame(
                    {
                        **names,
                        "weights": weights,
                        "unit": np.arange(len(these)) * first,
                        "row": by_weights.row,
                        "col": by_weights.col,
                        "W0": by_weights.scale,
                        "silent": (by_weights.cosine == 0).astype(int),
                        "cosine": by_weights.cosine,
                        "explained": by_weights.cosine**2,
                        "uneven": by_weights.uneven,
                        "ring": by_weights.ring,
                        "beyond": by_weights.beyond,
                        "W0_on_lattices": on_lattices.scale,
                        "kl_nats": on_lattices.kl,
                        "blind_nats": on_lattices.blind,
                        "told": on_lattices.told,
                    }
                )
            )
    write_table(table, pd.concat(rows, ignore_index=True).round(DECIMALS))


if __name__ == "__main__":
    run(main)
