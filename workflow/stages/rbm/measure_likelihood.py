"""Rule measure_likelihood: how far a machine is from the Ising model, in nats."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.likelihood_gap import Effort, chosen, likelihood_gaps
from coarsegrain.errors import CoarsegrainError
from coarsegrain.rbm.machine import Machine, TiedMachine, read_machine
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Output, Spec, run

# Of nats: far below any error, and above what the last bits of libm can change.
DIGITS = 9


def main(*, machine: Input, lattices: Input, table: Output, spec: Spec) -> None:
    """Measure KL(p‖q) on lattices that the machine has not seen, by every method.

    Spec: labels (pairs of a column and its value that say which machine it is);
    ising (whether the lattices are samples of the Ising model at their β; if not, as for layers on
    block spins, only the cross entropy is measured); effort (ais_chains, ais_steps, bar_chains,
    bar_burn_in, bar_states, bar_spacing); seed.
    """
    q, _ = read_machine(machine)
    test = read_lattices(lattices)
    betas = np.unique(test.betas)
    if spec["ising"] and len(betas) > 1:
        raise CoarsegrainError(f"{lattices} holds lattices of {len(betas)} β; a KL needs one.")
    beta = float(betas[0]) if spec["ising"] else None
    gaps = likelihood_gaps(q, test.spins, beta, effort=Effort(**spec["effort"]), seed=spec["seed"])
    best, about = chosen(gaps), {**dict(spec["labels"]), **architecture(q)}
    rows = [{**about, **gap._asdict(), "chosen": gap is best} for gap in gaps]
    names = {"log_z": "ln_z", "log_z_error": "ln_z_error", "kl": "kl_nats"}
    names["cross_entropy"] = "cross_entropy_nats"
    write_table(table, pd.DataFrame(rows).rename(columns=names).round(DIGITS))


def architecture(machine: Machine) -> dict[str, object]:
    """What a machine is made of; ``kernel`` is 0 for a free one, whose units see all spins."""
    tied = isinstance(machine, TiedMachine)
    weights = machine.kernels if isinstance(machine, TiedMachine) else machine.weights
    return {
        "kind": "tied" if tied else "free",
        "kernel": weights.shape[1] if tied else 0,
        "n_visible": machine.n_visible,
        "n_hidden": machine.n_hidden,
        "weights": weights.size,
    }


if __name__ == "__main__":
    run(main)
