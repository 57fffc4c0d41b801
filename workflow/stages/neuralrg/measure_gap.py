"""Rule measure_gap: how far a trained flow is from the dual of the Ising model, in nats."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.flow_gap import flow_gap, histogram, log_weights
from coarsegrain.analysis.flow_observables import collapse, observables
from coarsegrain.flows.storage import read_flow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from coarsegrain.threads import use_threads
from pipeline.stage import Input, Output, Spec, run

# Far below any error, and above what the last bits of libm can change.
DIGITS = 9


def main(
    *,
    flow: Input,
    lattices: Input,
    gap: Output,
    observed: Output,
    coverage: Output,
    spec: Spec,
) -> None:
    """Measure a flow on fresh samples and on exact ones, of lattices that it was not trained on.

    Spec: labels (pairs of a column and its value that say which flow it is); beta; samples (fresh
    ones); draw_seed, field_seed (of fields of the lattices, and of spins); threads.
    """
    use_threads(spec["threads"])
    q, _ = read_flow(flow)
    spins = read_lattices(lattices).spins
    dual = DualIsing(q.L, spec["beta"])
    rng = np.random.default_rng(spec["field_seed"])
    exact = dual.draw_fields(spins, rng)
    drawn = q.draw(spec["samples"], seed=spec["draw_seed"])
    of_q = log_weights(dual, drawn.fields, drawn.log_q)
    of_p = log_weights(dual, exact, q.log_density(exact))
    found = flow_gap(of_q, of_p, dual.log_integral())
    rows = observables(dual, drawn.fields, of_q, exact, rng=rng)
    squared = next(each for each in rows if each.name == "magnetization_squared")
    labels = {"L": q.L, "T": 1 / dual.beta, **dict(spec["labels"])}
    judged = collapse(found, squared)
    numbers = {
        "gap_nats": found.gap,
        "gap_error": found.gap_error,
        "forward_kl_nats": found.forward,
        "forward_kl_error": found.forward_error,
        "ess": found.ess,
        "ess_of_exact": found.ess_of_exact,
        "largest_weight": found.largest_weight,
        "uncovered": found.uncovered,
        "uncovered_error": found.uncovered_error,
        "ln_z": found.log_z,
        "m2_q": squared.flow,
        "m2_q_error": squared.flow_error,
        "m2_exact": squared.sampled,
        "m2_exact_error": squared.sampled_error,
        "m2_ratio": squared.flow / squared.sampled,
        "samples": len(of_q),
        "lattices": len(of_p),
        "collapsed": judged.collapsed,
        "why": judged.why,
    }
    write_table(gap, _table(labels, [numbers]))
    words = {"name": "observable", "flow": "mean", "flow_error": "mean_error"}
    write_table(
        observed,
        _table(
            labels,
            [{words.get(k, k): value for k, value in each._asdict().items()} for each in rows],
        ),
    )
    bars = histogram(of_q, of_p, found.log_z)
    columns = {"low": bars.edges[:-1], "high": bars.edges[1:], "of_p": bars.of_p, "of_q": bars.of_q}
    shares = zip(*columns.values())
    write_table(coverage, _table(labels, [dict(zip(columns, row)) for row in shares]))


def _table(labels: dict[str, object], rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame([{**labels, **row} for row in rows]).round(DIGITS)


if __name__ == "__main__":
    run(main)
