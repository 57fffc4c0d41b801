"""Rule measure_field_information: what fields have in common, as they are and without a flow."""

import numpy as np

from coarsegrain.analysis.information_by_scale import information_by_scale
from coarsegrain.analysis.information_tables import pair_table, total_table
from coarsegrain.analysis.total_correlation import decorrelated, total_correlation
from coarsegrain.ising.dual import DualIsing
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from coarsegrain.threads import use_threads
from pipeline.stage import Input, Output, Spec, run

DIGITS = 9


def main(*, lattices: Input, table: Output, total: Output, spec: Spec) -> None:
    """Measure the same of exact fields, and of these whitened by a linear map.

    Spec: labels (pairs of a column and its value that say which sample it is); beta; samples (of
    the lattices, at most); field_seed (chooses them and draws their fields: those that flows of the
    same seed map back), shuffling_seed; threads.
    """
    use_threads(spec["threads"])
    spins = read_lattices(lattices).spins
    dual = DualIsing(spins.shape[1], spec["beta"])
    rng = np.random.default_rng(spec["field_seed"])
    fields = dual.draw_fields(rng.permutation(spins)[: spec["samples"]], rng)
    whitened = decorrelated(fields)
    variables = {"whitened": whitened.fields, "physical": fields}
    labels = {"L": dual.L, "T": 1 / dual.beta, **dict(spec["labels"])}
    shuffling = np.random.default_rng(spec["shuffling_seed"])
    found = {
        name: information_by_scale(values, rng=shuffling) for name, values in variables.items()
    }
    write_table(table, pair_table(labels, found, len(fields)).round(DIGITS))
    log_p = -dual.energy(fields) - dual.log_integral()
    shared = {
        "whitened": total_correlation(whitened.fields, log_p - whitened.log_det),
        "physical": total_correlation(fields, log_p),
    }
    of_all = total_table(labels, shared, len(fields), upper_limit=False)
    write_table(total, of_all.round(DIGITS))


if __name__ == "__main__":
    run(main)
