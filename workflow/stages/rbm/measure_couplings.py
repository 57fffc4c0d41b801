"""Rule measure_couplings: couplings of a machine, of its lattices, and of block spins."""

import numpy as np
import pandas as pd

from coarsegrain.rbm.chains import gibbs_chains
from coarsegrain.rbm.coupling_fit import UndeterminedCouplings, fitted_couplings
from coarsegrain.rbm.effective_couplings import OPERATORS, exact_couplings
from coarsegrain.rbm.machine import read_machine
from coarsegrain.rg.majority import block_spins
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

# Far below any error, and above what the last bits of LAPACK and libm can change.
DIGITS = 9
Row = tuple[str, str, float, float, float]


def main(*, machine: Input, lattices: Input, fine: Inputs, table: Output, spec: Spec) -> None:
    """Couplings from four sources; where a machine holds what its lattices have, they agree.

    ``exact``: of the machine's marginal ln p*(v). ``samples``: fitted to Gibbs chains of the
    machine, from as many lattices. ``data``: fitted to the lattices of its layer. ``majority``:
    fitted to fine lattices after blockings by the majority rule: the K' of the renormalization
    group at that layer; left out if there are no fine lattices.
    Spec: labels (pairs of a column and its value that say which machine it is); chains, at
    most so many, and their steps; blockings, of fine lattices if there are any; seed.
    """
    q, _ = read_machine(machine)
    spins = read_lattices(lattices).spins
    L = spins.shape[1]
    rows: list[Row] = [
        ("exact", each.operator, each.value, 0.0, each.spread) for each in exact_couplings(q, L)
    ]
    samples = gibbs_chains(q, spins[: spec["chains"]], [spec["steps"]], seed=spec["seed"])
    rows += _fitted("samples", samples.reshape(-1, L, L)) + _fitted("data", spins)
    rng = np.random.default_rng(spec["seed"])
    for path in fine:
        blocks = read_lattices(path).spins
        for _ in range(spec["blockings"]):
            blocks = block_spins(blocks, rng=rng)
        rows += _fitted("majority", blocks)
    columns = ["source", "operator", "coupling", "std_error", "spread"]
    measured = pd.DataFrame(rows, columns=columns).round(DIGITS)
    labels = pd.DataFrame([dict(spec["labels"])] * len(measured))
    write_table(table, pd.concat([labels, measured], axis=1))


def _fitted(source: str, spins: np.ndarray) -> list[Row]:
    try:
        values, errors = fitted_couplings(spins)
    except UndeterminedCouplings as error:
        print(f"The couplings of {source} cannot be fitted: {error}", flush=True)
        values = errors = np.full(len(OPERATORS), np.nan)
    return [
        (source, operator.name, value, error, float("nan"))
        for operator, value, error in zip(OPERATORS, values.tolist(), errors.tolist())
    ]


if __name__ == "__main__":
    run(main)
