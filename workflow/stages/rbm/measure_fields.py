"""Rule measure_fields: how local the units of machines are, and whether they tile the lattice."""

import numpy as np
import pandas as pd

from coarsegrain.rbm.machine import TiedMachine, read_machine
from coarsegrain.rbm.receptive_fields import (
    best_windows,
    centres,
    receptive_fields,
    shuffled,
    summary,
)
from coarsegrain.sparsity import participation_ratio
from coarsegrain.storage.tables import write_table
from pipeline.stage import Inputs, Output, Spec, run

DECIMALS = 9  # numpy's sines differ by processor in the last digits of a float64


def main(*, machines: Inputs, table: Output, units: Output, spec: Spec) -> None:
    """Locality of every machine, trained and with weights shuffled within each unit; and by unit.

    Spec: machines, one entry for each file: labels (pairs of a column and its value, the same
    columns for all), and seed, of its shuffling; shuffles, over how many the null is averaged.
    ``units`` has one unit per channel of a tied machine.
    """
    rows, by_unit = [], []
    for path, entry in zip(machines, spec["machines"], strict=True):
        names = dict(entry["labels"])
        machine, _ = read_machine(path)
        fields = receptive_fields(machine)
        rng = np.random.default_rng(entry["seed"])
        null = [summary(shuffled(fields, rng=rng)) for _ in range(spec["shuffles"])]
        rows.append({**names, "weights": "trained", **summary(fields)})
        rows.append({**names, "weights": "shuffled", **pd.DataFrame(null).mean().to_dict()})
        first = machine.hidden_side**2 if isinstance(machine, TiedMachine) else 1
        shown = fields[::first]
        by_unit.append(
            pd.DataFrame(
                {
                    **names,
                    "unit": np.arange(len(shown)) * first,
                    "strength": abs(shown).reshape(len(shown), -1).sum(axis=1),
                    "share_2x2": best_windows(shown, 2).share,
                    "share_4x4": best_windows(shown, 4).share,
                    "participation": participation_ratio(shown),
                    "row": centres(shown)[:, 0],
                    "col": centres(shown)[:, 1],
                }
            )
        )
    frame = pd.DataFrame(rows).astype({"units": int, "silent": int})
    write_table(table, frame.round(DECIMALS))
    write_table(units, pd.concat(by_unit, ignore_index=True).round(DECIMALS))


if __name__ == "__main__":
    run(main)
