"""Rule measure_scales: what a flow passes on from scale to scale, and what it makes of it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coarsegrain.analysis.exponents_of_flows import levels, of_its_fields, untrained
from coarsegrain.analysis.gradient_patterns import Pattern, decorrelation, gradient_patterns
from coarsegrain.analysis.map_exponents import controls, exponent_rows, exponent_table
from coarsegrain.analysis.renormalized_energy import (
    QUARTIC,
    fitted_couplings,
    local_operators,
    renormalized_energy,
)
from coarsegrain.analysis.rg_verdict import rg_verdict
from coarsegrain.analysis.total_correlation import most_of_latents
from coarsegrain.flows.coarse_variables import MEANS, WAVES
from coarsegrain.flows.flow import Array, Flow, PassedOn
from coarsegrain.flows.storage import read_flow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing
from coarsegrain.ising.observables import Spins
from coarsegrain.rg.block_maps import BlockMap, decimation, majority
from coarsegrain.rg.blocking import Level, blocked
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from coarsegrain.threads import use_threads
from pipeline.stage import Input, Output, Spec, run

DIGITS = 9
#: What a flow's own map is called among the maps.
OWN = "passed on"
#: What untrained flows pass on, by what that is.
LINEAR = {"linear block means": MEANS, "linear long waves": WAVES}
#: Maps of the same lattices that every flow is put beside.
OTHERS: dict[str, BlockMap] = {"majority": majority, "decimation": decimation}
#: Of so many samples, that of the smallest mean is the example: regions of either sign.
SHOWN = 50
Rows = Iterator[dict[str, Any]]


def main(
    *,
    flow: Input,
    lattices: Input,
    energies: Output,
    couplings: Output,
    patterns: Output,
    exponents: Output,
    examples: Output,
    spec: Spec,
) -> None:
    """Measure renormalized energies, gradient patterns and exponents of a flow, and show a sample.

    Spec: labels (pairs of a column and its value that say which flow it is); beta; samples (of the
    lattices, at most, and fresh ones); patterns (samples for them); couplings, a list of numbers
    for exponents; field_seed (chooses lattices and draws their fields), draw_seed, sign_seed (of
    flows of two signs), tie_seed; threads.
    """
    use_threads(spec["threads"])
    q, _ = read_flow(flow)
    dual = DualIsing(q.L, spec["beta"])
    rng = np.random.default_rng(spec["field_seed"])
    spins = rng.permutation(read_lattices(lattices).spins)[: spec["samples"]]
    fields = dual.draw_fields(spins, rng)
    fresh = q.draw(len(fields), seed=spec["draw_seed"])
    of_exact, of_fresh = (
        [PassedOn(0, x, log_q), *q.passed_on(x, seed=spec["sign_seed"])]
        for x, log_q in ((fields, q.log_density(fields)), (fresh.fields, fresh.log_q))
    )
    labels = {"L": q.L, "T": 1 / dual.beta, **dict(spec["labels"])}

    def write(path: Path, rows: Rows) -> None:
        write_table(path, pd.DataFrame([{**labels, **row} for row in rows]).round(DIGITS))

    log_p = -dual.energy(fields) - dual.log_integral()
    write(energies, _energies(of_exact, of_fresh, log_p))
    write(couplings, _couplings(of_exact))
    responses = gradient_patterns(
        partial(_latents, q, seed=spec["sign_seed"]), fields[: spec["patterns"]]
    )
    write(patterns, _patterns(responses, decorrelation(fields)))
    if not isinstance(q, SublatticeFlow):
        of_exact[1:] = [of_its_fields(each, fields) for each in of_exact[1:]]
    write(examples, _of_one(of_exact, int(np.abs(fields[:SHOWN].mean(axis=(1, 2))).argmin())))
    known = {
        OWN: levels(spins, of_exact[1:]),
        **{name: levels(spins, untrained(fields, dual, passes)) for name, passes in LINEAR.items()},
    }
    write_table(exponents, _exponents(spins, known, dual.beta, spec))


def _latents(q: Flow, fields: Array, seed: int) -> Array:
    """Latent variables, before two modes are undone: a sign that is drawn would make them jump."""
    if isinstance(q, SublatticeFlow):
        return q.latents_by_scale(fields)
    return q.latents(fields, seed=seed)


def _energies(exact: list[PassedOn], fresh: list[PassedOn], log_p: Array) -> Rows:
    bound = most_of_latents(log_p, exact[0].log_q)
    for of_p, of_q in zip(exact, fresh):
        found = renormalized_energy(of_p.fields, of_p.log_q, of_q.log_q)
        yield {
            "scale": 2**of_p.scale,
            "sites": of_p.fields[0].size,
            "energy_p_nats": found.exact.nats,
            "energy_p_error": found.exact.error,
            "energy_p_spread": found.exact.spread,
            "energy_q_nats": found.fresh.nats,
            "energy_q_error": found.fresh.error,
            "energy_q_spread": found.fresh.spread,
            "difference_nats": found.exact.nats - found.fresh.nats,
            "difference_error": float(np.hypot(found.exact.error, found.fresh.error)),
            "kl_at_most_nats": bound.nats,
            "kl_at_most_error": bound.error,
            "free_nats": found.free.nats,
            "free_error": found.free.error,
            "beyond_free_nats": found.beyond_free.nats,
            "beyond_free_error": found.beyond_free.error,
            "beyond_two_signs_nats": found.beyond_two_signs.nats,
            "beyond_two_signs_error": found.beyond_two_signs.error,
            "samples": len(log_p),
        }


def _couplings(exact: list[PassedOn]) -> Rows:
    for scale, fields, log_q in exact:
        operators = local_operators(fields)
        found = fitted_couplings(-log_q, operators)
        quadratic = {name: each for name, each in operators.items() if name != QUARTIC}
        without = fitted_couplings(-log_q, quadratic)
        for name, value in found.of_operators.items():
            yield {
                "scale": 2**scale,
                "operator": name,
                "coupling_nats": value,
                "coupling_error": found.errors[name],
                "r2": found.explained,
                "r2_quadratic": without.explained,
            }


def _patterns(responses: list[Pattern], whitening: Array) -> Rows:
    for each in responses:
        L = len(whitening)
        for (row, column), gradient in np.ndenumerate(each.gradient):
            yield {
                "scale": each.scale,
                "row": row - L // 2,
                "column": column - L // 2,
                "gradient": gradient,
                "gradient_error": each.error[row, column],
                "whitening": whitening[row, column],
                "samples": each.samples,
            }


def _of_one(exact: list[PassedOn], sample: int) -> Rows:
    for scale, fields, _ in exact:
        for (row, column), value in np.ndenumerate(fields[sample]):
            yield {"scale": 2**scale, "row": row, "column": column, "field": value}


def _exponents(
    spins: Spins, of_fields: dict[str, list[Level]], beta: float, spec: dict[str, Any]
) -> pd.DataFrame:
    steps = len(of_fields[OWN])
    of_spins = {
        name: blocked(spins, [each] * steps, seed=spec["tie_seed"], shifts=1)
        for name, each in OTHERS.items()
    }
    known = controls(spins, of_fields[OWN][0], beta)
    tables = []
    for name, of_map in (of_fields | of_spins).items():
        table = exponent_table(exponent_rows(name, of_map, known, [], spec["couplings"]))
        for column, value in reversed(spec["labels"]):
            table.insert(0, column, value)
        word, why = rg_verdict(table)
        tables.append(table.assign(verdict=word, why=why))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    run(main)
