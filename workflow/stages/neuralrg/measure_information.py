"""Rule measure_information: what latent variables of a flow have in common."""

import numpy as np

from coarsegrain.analysis.information_by_scale import information_by_scale
from coarsegrain.analysis.information_tables import pair_table, total_table
from coarsegrain.analysis.total_correlation import most_of_latents
from coarsegrain.flows.storage import read_flow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from coarsegrain.threads import use_threads
from pipeline.stage import Input, Output, Spec, run

DIGITS = 9


def main(*, flow: Input, lattices: Input, table: Output, total: Output, spec: Spec) -> None:
    """Measure mutual information by scale, and of all, of exact samples mapped back by a flow.

    Spec: labels (pairs of a column and its value that say which flow it is); beta; samples (of the
    lattices, at most); field_seed (chooses them and draws their fields), latent_seed,
    shuffling_seed; threads.
    """
    use_threads(spec["threads"])
    q, _ = read_flow(flow)
    spins = read_lattices(lattices).spins
    dual = DualIsing(q.L, spec["beta"])
    rng = np.random.default_rng(spec["field_seed"])
    fields = dual.draw_fields(rng.permutation(spins)[: spec["samples"]], rng)
    latents = q.latents(fields, seed=spec["latent_seed"])
    labels = {"L": q.L, "T": 1 / dual.beta, **dict(spec["labels"])}
    shuffling = np.random.default_rng(spec["shuffling_seed"])
    found = {"latent": information_by_scale(latents, rng=shuffling)}
    write_table(table, pair_table(labels, found, len(fields)).round(DIGITS))
    log_p = -dual.energy(fields) - dual.log_integral()
    most = {"latent": most_of_latents(log_p, q.log_density(fields))}
    of_all = total_table(labels, most, len(fields), upper_limit=True)
    write_table(total, of_all.round(DIGITS))


if __name__ == "__main__":
    run(main)
