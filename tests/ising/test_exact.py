"""Kaufman's solution against references computed in other ways."""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest

from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.exact import (
    energy_per_site,
    heat_capacity_per_site,
    log_partition_function,
)

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "ising_torus_exact.json").read_text()
)["rows"]


def torus_levels(L: int) -> tuple[np.ndarray, np.ndarray]:
    """Energies of an L × L torus and their numbers of states, by full enumeration."""
    states = np.arange(2 ** (L * L), dtype=np.uint32)
    spins = 1 - 2 * ((states[:, None] >> np.arange(L * L)) & 1).astype(np.int8)
    spins = spins.reshape(-1, L, L)
    pairs = spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2))
    return np.unique(-pairs.sum(axis=(1, 2), dtype=int), return_counts=True)


def moments_by_transfer_matrix(beta: float, L: int) -> tuple[float, float, float]:
    """ln Z, energy and heat capacity per site as a trace of Tᴸ, with exact derivatives of T."""
    rows = 1 - 2 * ((np.arange(2**L)[:, None] >> np.arange(L)) & 1)
    bonds = (rows * np.roll(rows, 1, 1)).sum(1)[:, None] + rows @ rows.T
    # a state's factor exp(β bonds) and its first two β-derivatives, kept as truncated series
    t0 = np.exp(beta * bonds)
    t1, t2 = bonds * t0, bonds**2 * t0
    a0, a1, a2 = np.eye(2**L), np.zeros_like(t0), np.zeros_like(t0)
    for _ in range(L):
        a0, a1, a2 = a0 @ t0, a1 @ t0 + a0 @ t1, a2 @ t0 + 2 * a1 @ t1 + a0 @ t2
    z, z1, z2 = np.trace(a0), np.trace(a1), np.trace(a2)
    return math.log(z), -z1 / z / L**2, beta**2 * (z2 / z - (z1 / z) ** 2) / L**2


def test_critical_point_is_onsagers_to_the_last_bit():
    with mpmath.workdps(40):
        assert float(mpmath.log(1 + mpmath.sqrt(2)) / 2) == BETA_CRITICAL


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: f"L{row['L']}-beta{row['beta']:.4f}")
def test_kaufman_equals_the_forty_digit_reference(row):
    point = row["beta"], row["L"]
    assert log_partition_function(*point) == pytest.approx(row["ln_Z"], rel=1e-13)
    assert energy_per_site(*point) == pytest.approx(row["energy_per_site"], abs=1e-12)
    assert heat_capacity_per_site(*point) == pytest.approx(row["heat_capacity_per_site"], abs=1e-10)


@pytest.mark.parametrize("beta", [0.0, 1e-9, 2e-6, 1e-3, 0.2, 0.4352, BETA_CRITICAL, 0.6, 1.0, 3.0])
def test_kaufman_equals_the_sum_over_all_states_of_a_4x4_lattice(beta):
    energies, states = torus_levels(4)
    weights = states * np.exp(-beta * (energies - energies.min()))
    z = weights.sum()
    mean = (weights * energies).sum() / z
    variance = (weights * (energies - mean) ** 2).sum() / z
    ln_z = math.log(z) - beta * energies.min()
    assert log_partition_function(beta, 4) == pytest.approx(ln_z, abs=1e-11)
    assert energy_per_site(beta, 4) == pytest.approx(mean / 16, abs=1e-12)
    assert heat_capacity_per_site(beta, 4) == pytest.approx(beta**2 * variance / 16, abs=1e-11)


@pytest.mark.parametrize("beta", [0.1, 0.4, BETA_CRITICAL, 0.7])
def test_kaufman_equals_the_trace_of_transfer_matrices_at_L_6(beta):
    ln_z, energy, heat_capacity = moments_by_transfer_matrix(beta, 6)
    assert log_partition_function(beta, 6) == pytest.approx(ln_z, rel=1e-12)
    assert energy_per_site(beta, 6) == pytest.approx(energy, abs=1e-11)
    assert heat_capacity_per_site(beta, 6) == pytest.approx(heat_capacity, abs=1e-10)


@pytest.mark.parametrize("beta", [0.05, 0.3, 0.43, BETA_CRITICAL, 0.45, 0.9])
@pytest.mark.parametrize("L", [8, 32, 128])
def test_energy_and_heat_capacity_are_derivatives_of_log_z(beta, L):
    h = 1e-4
    ln_z = [log_partition_function(beta + k * h, L) for k in (-2, -1, 1, 2)]
    slope = (ln_z[0] - 8 * ln_z[1] + 8 * ln_z[2] - ln_z[3]) / (12 * h) / L**2
    assert energy_per_site(beta, L) == pytest.approx(-slope, abs=1e-7)
    energies = [energy_per_site(beta + k * h, L) for k in (-2, -1, 1, 2)]
    slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * h)
    assert heat_capacity_per_site(beta, L) == pytest.approx(-(beta**2) * slope, abs=1e-7)


@pytest.mark.parametrize("L", [4, 32, 64])
def test_nothing_jumps_where_the_fourth_product_vanishes(L):
    below, at, above = (heat_capacity_per_site(BETA_CRITICAL + d, L) for d in (-1e-12, 0.0, 1e-12))
    assert below == pytest.approx(at, abs=1e-9)
    assert above == pytest.approx(at, abs=1e-9)


def test_infinite_temperature_counts_all_states():
    assert log_partition_function(0.0, 32) == pytest.approx(1024 * math.log(2), rel=1e-15)
    assert energy_per_site(0.0, 32) == 0.0
    assert heat_capacity_per_site(0.0, 32) == 0.0


def test_low_temperature_has_two_ground_states_and_single_flips():
    beta, L = 3.0, 32
    ln_z = math.log(2) + 2 * L**2 * beta + L**2 * math.exp(-8 * beta)
    assert log_partition_function(beta, L) == pytest.approx(ln_z, rel=1e-13)
    assert log_partition_function(50.0, 64) == pytest.approx(math.log(2) + 2 * 64**2 * 50.0)


@pytest.mark.parametrize("L", [-2, 0, 2, 5, 33])
def test_odd_and_too_small_sides_are_refused(L):
    for function in (log_partition_function, energy_per_site, heat_capacity_per_site):
        with pytest.raises(ValueError, match=f"L is {L}"):
            function(0.4, L)


@pytest.mark.parametrize("beta", [-0.1, math.nan, math.inf, 51.0])
def test_inverse_temperatures_out_of_range_are_refused(beta):
    with pytest.raises(ValueError, match="beta is"):
        energy_per_site(beta, 32)
