"""Rule measure_information: what latent variables have in common, and what fields have."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.information_by_scale import information_by_scale
from coarsegrain.analysis.total_correlation import (
    decorrelated,
    most_of_latents,
    total_correlation,
)
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
    whitened = decorrelated(fields)
    variables = {
        "latent": q.latents(fields, seed=spec["latent_seed"]),
        "whitened": whitened.fields,
        "physical": fields,
    }
    labels = {"L": q.L, "T": 1 / dual.beta, **dict(spec["labels"])}
    shuffling = np.random.default_rng(spec["shuffling_seed"])
    rows = [
        {
            **labels,
            "scale": each.scale,
            "variables": name,
            "distance": each.distance,
            "information_nats": each.nats,
            "information_error": each.error,
            "null_nats": each.null,
            "null_error": each.null_error,
            "pairs": each.pairs,
            "samples": len(fields),
        }
        for name, values in variables.items()
        for each in information_by_scale(values, rng=shuffling)
    ]
    write_table(table, pd.DataFrame(rows).round(DIGITS))
    log_p = -dual.energy(fields) - dual.log_integral()
    shared = {
        "latent": most_of_latents(log_p, q.log_density(fields)),
        "whitened": total_correlation(whitened.fields, log_p - whitened.log_det),
        "physical": total_correlation(fields, log_p),
    }
    rows = [
        {
            **labels,
            "variables": name,
            "total_nats": each.nats,
            "total_error": each.error,
            "upper_limit": name == "latent",
            "samples": len(fields),
        }
        for name, each in shared.items()
    ]
    write_table(total, pd.DataFrame(rows).round(DIGITS))


if __name__ == "__main__":
    run(main)
