"""Rule reconstruction_flow: β of lattices that machines reconstruct again and again."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from coarsegrain.analysis.distant_thermometer import DistantThermometer
from coarsegrain.analysis.exact_thermometer import Reading
from coarsegrain.analysis.reconstruction_flow import temperature_flow
from coarsegrain.analysis.statistics import crossed_standard_error
from coarsegrain.ising.observables import Spins
from coarsegrain.nets.network import read_network
from coarsegrain.rbm.machine import read_machine
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

DECIMALS = 9  # numpy's exponentials differ by processor in the last digits of a float64


def main(
    *,
    lattices: Input,
    reference: Input,
    machines: Inputs,
    thermometers: Inputs,
    table: Output,
    spec: Spec,
) -> None:
    """Thermometers E and R, and the nets' if there are any, after every step, for each β.

    ``reference``: lattices at many β that calibrate thermometer R; their range is what it can read.
    Spec: machines, one entry for each file: labels (pairs of a column and its value, the same
    columns for all), and seed, of its reconstructions; steps, those that are measured, 0 for the
    lattices themselves.
    """
    before, certain = read_lattices(lattices), read_lattices(reference)
    distant = DistantThermometer.from_lattices(certain.spins, certain.betas)
    nets = [read_network(path) for path in thermometers]

    def net(spins: Spins) -> Reading:
        predicted = np.array([each(spins).reshape(-1) for each in nets], dtype=np.float64)
        return Reading(float(predicted.mean()), crossed_standard_error(predicted))

    third: Callable[[Spins], Reading] | None = net if nets else None
    flows = []
    for path, entry in zip(machines, spec["machines"], strict=True):
        names = dict(entry["labels"])
        machine, _ = read_machine(path)
        flow = temperature_flow(
            machine, before.spins, before.betas, spec["steps"], distant, third, seed=entry["seed"]
        )
        flows.append(pd.DataFrame({**names, **flow.round(DECIMALS)}))
    write_table(table, pd.concat(flows, ignore_index=True))


if __name__ == "__main__":
    run(main)
