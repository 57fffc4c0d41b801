"""The test of RG on sampled lattices: it tells maps that are RG from those that are not."""

import numpy as np
import pytest

from coarsegrain.analysis.map_exponents import (
    controls,
    exponent_rows,
    exponent_table,
    mismatches,
)
from coarsegrain.analysis.rg_verdict import rg_verdict
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rg.block_maps import (
    decimation,
    majority,
    majority_with_flips,
    shuffled_majority,
    soft_majority,
)
from coarsegrain.rg.blocking import blocked

MAPS = {
    "majority": majority,
    "decimation": decimation,
    "soft": soft_majority(0.5),
    "flips": majority_with_flips(0.05),
    "shuffled": shuffled_majority(3),
}


@pytest.fixture(scope="module")
def lattices():
    """4000 of L = 32 and of L = 16, at the critical point."""
    return [sample_lattices(np.full(4000, BETA_CRITICAL), L, seed=L) for L in (32, 16)]


@pytest.fixture(scope="module")
def tables(lattices):
    found = {}
    for name, block_map in MAPS.items():
        levels = [blocked(spins, [block_map] * 2, seed=1) for spins in lattices]
        known = [controls(*each, BETA_CRITICAL) for each in
                 ((spins, of_spins[0]) for spins, of_spins in zip(lattices, levels))]  # fmt: skip
        matched = mismatches(tuple(levels), tuple(known))
        rows = exponent_rows(name, levels[0], known[0], matched, [1, 2, 3])
        found[name] = exponent_table(rows)
    return found


def number(table, column, *, step, couplings):
    row = table[(table["step"] == step) & (table["couplings"] == couplings)].iloc[0]
    return row[column], row[f"{column}_error"]


# Of an independent run: L = 32, two couplings, with errors of about 0.004 (y_H: 0.0005).
KNOWN = [
    ("majority", "y_T", 1, 0.963), ("majority", "y_T", 2, 0.996), ("decimation", "y_T", 1, 1.105),
    ("decimation", "y_T", 2, 0.949), ("soft", "y_T", 2, 0.882), ("flips", "y_T", 1, 1.08),
    ("flips", "y_T", 2, 0.74),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "column", "step", "value"), KNOWN)
def test_exponents_are_those_of_an_independent_run(tables, name, column, step, value):
    found, error = number(tables[name], column, step=step, couplings=2)
    assert abs(found - value) < 4 * np.hypot(error, 0.005)


@pytest.mark.slow
def test_decimation_has_no_plateau_and_a_magnetization_that_does_not_scale(tables):
    for step in (1, 2):
        assert number(tables["decimation"], "y_H", step=step, couplings=1)[0] > 1.97


@pytest.mark.slow
def test_shuffled_sites_destroy_y_t_and_leave_y_h(tables):
    plain, shuffled = (number(tables[name], "y_H", step=1, couplings=1)[0]
                       for name in ("majority", "shuffled"))  # fmt: skip
    assert shuffled == pytest.approx(plain, abs=1e-9)
    assert number(tables["shuffled"], "y_T", step=1, couplings=2)[0] < 0


@pytest.mark.slow
@pytest.mark.parametrize("name", MAPS)
def test_only_the_majority_rule_acts_as_an_rg_map(tables, name):
    wanted = "acts as an RG map" if name == "majority" else "does not act as an RG map"
    assert rg_verdict(tables[name]).verdict == wanted
