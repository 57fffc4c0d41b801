"""Rule learn_ring_flow: the flow of the 1D coupling, learned from correlation lengths."""

import math
from typing import Any

import numpy as np
import pandas as pd

from coarsegrain.analysis.measured_length import MeasuredLogLength, fit_log_length
from coarsegrain.ising.ring import (
    correlation_length,
    decimated_coupling,
    log_correlation_length,
)
from coarsegrain.ising.sampled_ring import measured_correlation_length
from coarsegrain.rg.learned_flow import FlowSettings, learn_flow
from coarsegrain.storage.tables import write_table
from pipeline.stage import Output, Spec, run

#: Of the table of flows.
COLUMNS = ["b", "source", "member", "K", "K_learned", "K_exact", "K_error"]


def main(*, table: Output, lengths: Output, spec: Spec) -> None:
    """Learn K → K' for every b, from the exact length and from lengths of sampled rings.

    A member of the source "samples" has rings and a net of its own; one curve through its measured
    lengths serves all b. Members of "exact" differ by their net's start only; so do those of
    "exact_plain_loss", a control that learns from differences of ξ instead of ln ξ. K_error is the
    standard error that follows from those of the measured lengths; 0 where nothing is sampled.

    Spec: scales (the b); learn: lowest, highest, couplings, hidden, steps, learning_rate; show:
    lowest, highest, number (of K in the table); rings: spins, number (for each K), lowest,
    highest, couplings (K that are measured, equally spaced in ln K), degree (of the curve);
    members: by source; seed.
    """
    show = spec["show"]
    K = np.linspace(show["lowest"], show["highest"], show["number"])
    rows, measured = [], []
    for source, members in spec["members"].items():
        plain = source == "exact_plain_loss"
        settings = FlowSettings(**spec["learn"], loss="plain" if plain else "log")
        for member in range(members):
            log_length: Any = log_correlation_length
            if source == "samples":
                lengths_of_member, log_length = _measure(spec, member)
                measured.append(lengths_of_member)
            for b in spec["scales"]:
                rng = np.random.default_rng([spec["seed"], member, b])
                learned = learn_flow(log_length, b, settings, rng=rng)(K)
                error = (
                    log_length.error_of_coupling(K, learned)
                    if source == "samples"
                    else np.zeros(len(K))
                )
                exact = [decimated_coupling(each, b) for each in K.tolist()]
                rows += [(b, source, member, *row) for row in zip(K, learned, exact, error)]
    write_table(table, pd.DataFrame(rows, columns=COLUMNS))
    write_table(lengths, pd.concat(measured, ignore_index=True))


def _measure(spec: dict[str, Any], member: int) -> tuple[pd.DataFrame, MeasuredLogLength]:
    """Correlation lengths of a member's rings, and the curve through them."""
    rings = spec["rings"]
    steps = np.linspace(
        math.log(rings["lowest"]), math.log(rings["highest"]), rings["couplings"]
    ).tolist()
    K = [math.exp(each) for each in steps]
    rng = np.random.default_rng([spec["seed"], member])
    found = [
        measured_correlation_length(each, rings["spins"], rings["number"], rng=rng) for each in K
    ]
    table = pd.DataFrame(found, columns=["xi", "std_error"])
    curve = fit_log_length(K, table["xi"], table["std_error"], degree=rings["degree"])
    table.insert(0, "member", member)
    table.insert(1, "K", K)
    table["xi_curve"] = [math.exp(each) for each in curve(K)[0].tolist()]
    table["xi_exact"] = [correlation_length(each) for each in K]
    return table, curve


if __name__ == "__main__":
    run(main)
