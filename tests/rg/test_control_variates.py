"""Control variates: their means are exactly 0, and fits by them change no expectation."""

import numpy as np
import pytest
from exact_states import all_states, drawn, probabilities

from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.exact import energy_per_site, heat_capacity_per_site
from coarsegrain.rg.control_variates import (
    controlled,
    energy_controls,
    local_controls,
    mean_of,
)
from coarsegrain.rg.coupling_operators import EVEN, operator_sums


def test_controls_have_mean_zero_over_all_states():
    spins, p = all_states(), probabilities()
    of_energy = energy_controls(
        operator_sums(spins, EVEN[:1])[:, 0],
        -16 * energy_per_site(BETA_CRITICAL, 4),
        16 * heat_capacity_per_site(BETA_CRITICAL, 4) / BETA_CRITICAL**2,
    )
    local = local_controls(spins, BETA_CRITICAL)
    assert abs(p @ of_energy).max() < 1e-10
    assert abs(p @ local).max() < 1e-12
    assert abs(p @ local_controls(spins, 0.3)).min() > 1e-3  # another β: they would tell


def test_local_controls_are_callens_identity_written_out():
    spins = drawn(5, seed=1)
    for lattice, found in zip(spins.astype(int), local_controls(spins, 0.4)):
        first = second = 0.0
        bonds = sum((lattice * np.roll(lattice, 1, axis=axis)).sum() for axis in (0, 1))
        for row in range(4):
            for column in range(4):
                h = sum(lattice[(row + r) % 4, (column + c) % 4]
                        for r, c in ((0, 1), (1, 0), (0, -1), (-1, 0)))  # fmt: skip
                excess = lattice[row, column] - np.tanh(0.4 * h)
                first += h * excess
                second += h * excess * (bonds - lattice[row, column] * h)
        all_bonds = operator_sums(spins, EVEN[:1])[:, 0]
        centre = all_bonds.sum() // 5
        wanted = [first / 16, (second - centre * first) / 32]
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_what_a_control_explains_is_taken_out_of_value_and_error():
    rng = np.random.default_rng(2)
    control, rest = rng.normal(size=(2, 4000))
    values = 5 + 3 * control + 0.1 * rest
    mean = mean_of(values)
    found = controlled(mean, values - mean, control[:, None])
    assert abs(found.value - 5) < 4 * found.error
    assert found.error == pytest.approx(0.1 / 4000**0.5, rel=0.05)
    assert controlled(mean, values - mean, None).error == pytest.approx(
        values.std(ddof=1) / 4000**0.5
    )


def test_controls_that_do_not_vary_change_nothing():
    values = np.array([1.0, -1.0, 2.0, -2.0])
    assert controlled(7.0, values, np.zeros((4, 1))).value == 7.0


def test_the_mean_does_not_depend_on_the_order():
    values = np.random.default_rng(1).normal(size=1000) * 10.0 ** np.arange(-5, 5).repeat(100)
    assert len({mean_of(np.random.default_rng(k).permutation(values)) for k in range(20)}) == 1
