"""Which maps act as RG maps, by tables like those of known maps."""

import numpy as np
import pandas as pd
import pytest

from coarsegrain.analysis.map_exponents import COLUMNS
from coarsegrain.analysis.rg_verdict import rg_verdict, verdict_table

PASSES = "acts as an RG map"
FAILS = "does not act as an RG map"


def table(y_t, y_h, matching, *, name="map", L=64, error=0.002):
    """Rows of one map: three couplings, and one that gives something else."""
    rows = [
        (name, L, step, k, t if k == 3 else 0.7, error, h, error, m, error, 1000)
        for step, (t, h, m) in enumerate(zip(y_t, y_h, matching), start=1)
        for k in (1, 3)
    ]
    smaller = [(name, L // 2, 1, 3, 0.5, error, 1.5, error, np.nan, np.nan, 1000)]
    return pd.DataFrame(rows + smaller, columns=list(COLUMNS))


GOOD = ((0.97, 1.0, 1.0), (1.88, 1.876, 1.875), (-0.05, -0.004, 0.001))


def test_a_plateau_at_the_exact_exponents_that_matches_passes():
    assert rg_verdict(table(*GOOD)).verdict == PASSES


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({0: (1.1, 0.95, 0.66)}, "y_T at step 3"),
        ({0: (1.1, 1.12, 1.0)}, "change of y_T from step 2 to 3"),
        ({1: (2.0, 1.99, 1.94)}, "y_H at step 3"),
        ({2: (-0.1, -0.1, -0.09)}, "matching"),
        ({0: (1.0, 1.0, np.nan)}, "y_T at step 3 has no value"),
    ],
)
def test_a_map_that_misses_one_of_them_fails_and_the_reason_names_it(changed, told):
    values = [changed.get(index, each) for index, each in enumerate(GOOD)]
    found = rg_verdict(table(*values))
    assert found.verdict == FAILS
    assert told in found.reason


def test_steps_from_small_lattices_do_not_count():
    bad_third_step = ((0.97, 1.0, 0.6), (1.88, 1.876, 1.7), (-0.01, -0.004, 0.3))
    assert rg_verdict(table(*bad_third_step, L=32)).verdict == PASSES
    assert rg_verdict(table(*bad_third_step, L=64)).verdict == FAILS


def test_wide_errors_leave_it_undecided():
    assert rg_verdict(table(*GOOD, error=0.03)).verdict == "undecided"


def test_without_matching_it_is_undecided():
    assert rg_verdict(table(*GOOD[:2], (np.nan,) * 3)).verdict == "undecided"


def test_one_step_is_no_plateau():
    found = rg_verdict(table(*GOOD, L=16))
    assert found.verdict == "not tested"
    assert "two steps" in found.reason


def test_every_map_has_its_verdict_in_the_order_of_the_table():
    both = pd.concat([table(*GOOD, name="z"), table(*GOOD, name="a", error=0.03)])
    found = verdict_table(both)
    assert found[["map", "verdict"]].to_numpy().tolist() == [["z", PASSES], ["a", "undecided"]]
