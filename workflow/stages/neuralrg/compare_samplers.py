"""Rule compare_samplers: what an independent lattice costs, with a flow and without."""

import pandas as pd

from coarsegrain.analysis.sampler_runs import (
    PASSES,
    from_fresh_samples,
    latent_hmc,
    lattice_chains,
    physical_hmc,
)
from coarsegrain.analysis.samplers import of_independent_samples
from coarsegrain.flows.sublattice_storage import read_sublattice_flow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.equilibration import equilibration_steps
from coarsegrain.ising.observables import magnetization_squared
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from coarsegrain.threads import use_threads
from pipeline.stage import Input, Output, Spec, run

DIGITS = 9


def main(*, flow: Input, lattices: Input, table: Output, spec: Spec) -> None:
    """Sample with a flow by sublattices in all ways, and without it.

    Both kinds of hybrid Monte Carlo start at the same fresh samples of the flow.

    Spec: labels (pairs of a column and its value that say which flow it is); beta; proposals (fresh
    samples, also weighted); chains, trajectories, leapfrogs; draw_seed (of proposals),
    start_seed, latent_seed, physical_seed, accept_seed, lattice_seed; threads.
    """
    use_threads(spec["threads"])
    q, _ = read_sublattice_flow(flow)
    dual, chains = DualIsing(q.L, spec["beta"]), spec["chains"]
    start = q.draw(chains, seed=spec["start_seed"]).fields
    hybrid = {key: spec[key] for key in ("trajectories", "leapfrogs")}
    proposed, weighted = from_fresh_samples(
        dual,
        q.draw(spec["proposals"], seed=spec["draw_seed"]),
        chains=chains,
        seed=spec["accept_seed"],
    )
    rows = [
        latent_hmc(q, start, **hybrid, seed=spec["latent_seed"]),
        physical_hmc(dual, start, **hybrid, seed=spec["physical_seed"]),
        proposed,
        weighted,
        lattice_chains(dual, chains=chains, steps=spec["trajectories"], seed=spec["lattice_seed"]),
        of_independent_samples(
            "independent lattices",
            magnetization_squared(read_lattices(lattices).spins),
            evaluations=PASSES * equilibration_steps(dual.L),
        ),
    ]
    labels = {"L": dual.L, "T": 1 / dual.beta, **dict(spec["labels"])}
    found = pd.DataFrame([{**labels, **each._asdict()} for each in rows])
    write_table(table, found.round(DIGITS))


if __name__ == "__main__":
    run(main)
