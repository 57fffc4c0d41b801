"""Sampled lattices against exact statistics.

Every comparison is two-sided at a fixed seed. There are at most 100 of them in this file, each at
the level 1e-6: by Bonferroni, a correct sampler fails any of them with probability < 1e-4.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from coarsegrain.ising import exact
from coarsegrain.ising.observables import (
    energy_per_site,
    heat_capacity,
    magnetization,
    magnetization_squared,
)
from coarsegrain.ising.sampler import equilibration_steps, sample_lattices

LEVEL = 1e-4 / 100
Z_MAX = stats.norm.isf(LEVEL / 2)

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "ising_torus_exact.json").read_text()
)["rows"]
BETAS = sorted({row["beta"] for row in REFERENCE})


def assert_is_standard_normal(z: float) -> None:
    assert abs(z) < Z_MAX, f"{z:.2f} standard errors"


def assert_chi_square(observed: np.ndarray, expected: np.ndarray) -> None:
    """χ² of counts, two-sided; classes must come with at least 5 expected counts."""
    assert expected.min() >= 5
    chi2 = ((observed - expected) ** 2 / expected).sum()
    degrees = len(expected) - 1
    p = min(stats.chi2.sf(chi2, degrees), stats.chi2.cdf(chi2, degrees))
    assert p > LEVEL / 2, f"χ² = {chi2:.1f} with {degrees} degrees of freedom"


def pooled(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join classes, in the order of their expectation, until each expects at least 5."""
    order = np.argsort(expected, kind="stable")
    total = np.cumsum(expected[order])
    starts = [0]
    while total[-1] - (base := total[starts[-1] - 1] if starts[-1] else 0.0) >= 10:
        step = int(np.searchsorted(total, base + 5)) + 1
        if step >= len(total) or total[-1] - total[step - 1] < 5:
            break
        starts.append(step)
    return np.add.reduceat(observed[order], starts), np.add.reduceat(expected[order], starts)


def z_of_energy(energies: np.ndarray, beta: float, L: int) -> float:
    """Deviation of the mean from Kaufman's energy, in exact standard errors."""
    sigma = np.sqrt(exact.heat_capacity_per_site(beta, L)) / (beta * L)
    return (energies.mean() - exact.energy_per_site(beta, L)) / (sigma / np.sqrt(len(energies)))


def z_of_heat_capacity(energies: np.ndarray, beta: float, L: int) -> float:
    """Deviation of the measured heat capacity from Kaufman's, in exact standard errors.

    Var(s²) = κ₄/n + 2κ₂²/(n − 1). The cumulants of H are derivatives of ln Z: κ₂ = (ln Z)'', and
    κ₄ is its second derivative. An estimated κ₄ would be correlated with s² where few lattices
    are excited.
    """
    n = len(energies)

    def kappa_2(b: float) -> float:
        return L**2 * exact.heat_capacity_per_site(b, L) / b**2

    h = 2e-3
    kappa_4 = (kappa_2(beta + h) - 2 * kappa_2(beta) + kappa_2(beta - h)) / h**2
    error = np.sqrt(kappa_4 / n + 2 * kappa_2(beta) ** 2 / (n - 1)) * beta**2 / L**2
    measured = heat_capacity(energies, beta, L**2)
    return (measured - exact.heat_capacity_per_site(beta, L)) / error


@pytest.fixture(scope="module", params=[8, 16, 32])
def lattices_at_reference_betas(request):
    """20,000 lattices at each β of the reference."""
    L = request.param
    spins = sample_lattices(np.repeat(BETAS, 20_000), L, seed=20 + L)
    return L, spins.reshape(len(BETAS), -1, L, L)


@pytest.mark.slow
def test_energy_of_sampled_lattices_equals_kaufman(lattices_at_reference_betas):
    L, spins = lattices_at_reference_betas
    for beta, at_beta in zip(BETAS, spins):
        assert_is_standard_normal(z_of_energy(energy_per_site(at_beta), beta, L))


@pytest.mark.slow
def test_heat_capacity_of_sampled_lattices_equals_kaufman(lattices_at_reference_betas):
    L, spins = lattices_at_reference_betas
    for beta, at_beta in zip(BETAS, spins):
        assert_is_standard_normal(z_of_heat_capacity(energy_per_site(at_beta), beta, L))


@pytest.mark.slow
def test_both_signs_of_the_magnetization_are_equally_likely(lattices_at_reference_betas):
    _, spins = lattices_at_reference_betas
    m = magnetization(spins[-1])  # deep in the ordered phase: the sign is the start's
    assert_is_standard_normal(np.sign(m).sum() / np.sqrt(np.count_nonzero(m)))
    m = magnetization(spins[len(BETAS) // 2])
    assert_is_standard_normal(m.sum() / np.sqrt((m**2).sum()))


@pytest.mark.slow
def test_m_squared_at_the_papers_beta_equals_an_independent_measurement():
    m2 = magnetization_squared(sample_lattices(np.full(40_000, 0.4352), 32, seed=5))
    error = np.hypot(m2.std() / np.sqrt(len(m2)), 0.00025)
    assert_is_standard_normal((m2.mean() - 0.37164) / error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("beta", "n"),
    [(0.2, 100_000), (0.4, 200_000), (0.4352, 1_000_000), (0.44068679350977147, 200_000)],
)
def test_up_to_a_million_lattices_have_kaufmans_energy_and_heat_capacity(beta, n):
    L, batch = 32, 20_000
    energies, m2 = np.empty(n), np.empty(n)
    for start in range(0, n, batch):
        spins = sample_lattices(np.full(batch, beta), L, seed=1000, first_lattice=start)
        energies[start : start + batch] = energy_per_site(spins)
        m2[start : start + batch] = magnetization_squared(spins)
    assert_is_standard_normal(z_of_energy(energies, beta, L))
    assert_is_standard_normal(z_of_heat_capacity(energies, beta, L))
    if beta == 0.4352:
        error = np.hypot(m2.std() / np.sqrt(n), 0.00025)
        assert_is_standard_normal((m2.mean() - 0.37164) / error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("L", "n"), [(4, 20_000), (6, 20_000), (10, 20_000), (12, 20_000), (24, 10_000), (34, 4_000),
                 (48, 3_000), (66, 1_000), (70, 1_000)]
)  # fmt: skip
def test_energy_equals_kaufman_for_every_way_to_fill_words(L, n):
    energies = energy_per_site(sample_lattices(np.full(n, 0.4352), L, seed=L))
    assert_is_standard_normal(z_of_energy(energies, 0.4352, L))


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.01, 0.2, 0.4352, 0.6])
def test_all_states_of_4x4_lattices_have_their_boltzmann_frequencies(beta):
    n = 400_000
    bits = (1 - 2 * ((np.arange(2**16)[:, None] >> np.arange(16)) & 1)).astype(np.int8)
    states = bits.reshape(-1, 4, 4)
    energy = energy_per_site(states) * 16
    weight = np.exp(-beta * (energy - energy.min()))
    expected = n * weight / weight.sum()

    spins = sample_lattices(np.full(n, beta), 4, seed=44)
    index = (spins.reshape(n, 16) < 0) @ (1 << np.arange(16))
    observed = np.bincount(index, minlength=2**16).astype(float)
    assert_chi_square(*pooled(observed, expected))

    moment = states.sum(axis=(1, 2), dtype=int)
    _, classes = np.unique(np.stack([energy, moment]), axis=1, return_inverse=True)
    assert_chi_square(*pooled(np.bincount(classes, observed), np.bincount(classes, expected)))


def test_spins_at_infinite_temperature_are_fair_and_uncorrelated():
    n, L = 4_000, 32
    spins = sample_lattices(np.zeros(n), L, seed=3)
    ups = (spins > 0).sum(axis=(1, 2))
    assert_is_standard_normal((ups.sum() - n * L**2 / 2) / np.sqrt(n * L**2 / 4))
    assert_is_standard_normal(energy_per_site(spins).mean() * np.sqrt(n * L**2 / 2))
    # n·Var(m) follows χ²: no correlation between any two sites of a lattice
    chi2 = (magnetization_squared(spins) * L**2).sum()
    assert LEVEL / 2 < stats.chi2.cdf(chi2, n) < 1 - LEVEL / 2
    # every site over the lattices
    chi2 = (spins.sum(axis=0, dtype=int) ** 2 / n).sum()
    assert LEVEL / 2 < stats.chi2.cdf(chi2, L**2) < 1 - LEVEL / 2


def test_weak_coupling_follows_the_high_temperature_series():
    energies = energy_per_site(sample_lattices(np.full(20_000, 0.01), 32, seed=9))
    assert_is_standard_normal(z_of_energy(energies, 0.01, 32))


def test_consecutive_lattices_are_uncorrelated():
    spins = sample_lattices(np.full(20_000, 0.4352), 8, seed=12)
    for values in (magnetization(spins), energy_per_site(spins)):
        x = (values - values.mean()) / values.std()
        for lag in (1, 2, 8, 64):
            assert_is_standard_normal((x[:-lag] * x[lag:]).mean() * np.sqrt(len(x) - lag))


def test_same_seed_gives_the_same_bits_and_another_seed_others():
    betas = np.full(100, 0.4)
    spins = sample_lattices(betas, 16, seed=1)
    np.testing.assert_array_equal(sample_lattices(betas, 16, seed=1), spins)
    for other in (2, 1 + 2**32, 2**64 - 1):
        differing = (sample_lattices(betas, 16, seed=other) != spins).mean()
        assert 0.4 < differing < 0.6


@pytest.mark.parametrize("L", [6, 32, 34, 66])
def test_a_lattice_depends_on_its_number_and_not_on_its_company(L):
    betas = np.linspace(0.0, 0.6, 150)
    spins = sample_lattices(betas, L, seed=8, steps=5)
    for start, stop in ((3, 7), (0, 1), (61, 131), (149, 150)):
        part = sample_lattices(betas[start:stop], L, seed=8, first_lattice=start, steps=5)
        np.testing.assert_array_equal(part, spins[start:stop])
    company = np.full(150, 0.5)
    company[77] = betas[77]
    np.testing.assert_array_equal(sample_lattices(company, L, seed=8, steps=5)[77], spins[77])


def test_batches_do_not_show():
    betas = np.full(2500, 0.4)  # more than one batch at L = 32
    reported = []
    spins = sample_lattices(betas, 32, seed=8, steps=2, progress=reported.append)
    assert len(reported) > 1
    assert reported == sorted(reported)
    assert reported[-1] == 2500
    edge = reported[0] - 5
    part = sample_lattices(betas[:10], 32, seed=8, first_lattice=edge, steps=2)
    np.testing.assert_array_equal(part, spins[edge : edge + 10])


def test_lattices_are_int8_plus_and_minus_one():
    spins = sample_lattices([0.1, 0.2, 0.3], 10, seed=0)
    assert spins.dtype == np.int8
    assert spins.shape == (3, 10, 10)
    assert set(np.unique(spins)) == {-1, 1}


def test_steps_default_to_the_equilibration_steps():
    spins = sample_lattices([0.4] * 4, 12, seed=1)
    steps = equilibration_steps(12)
    np.testing.assert_array_equal(spins, sample_lattices([0.4] * 4, 12, seed=1, steps=steps))


def test_equilibration_takes_longer_on_larger_lattices():
    steps = [equilibration_steps(L) for L in (4, 8, 16, 32, 64, 128, 256)]
    assert steps == sorted(set(steps))


def test_very_cold_lattices_are_ordered():
    spins = sample_lattices([50.0, 1e6] * 20, 16, seed=2, steps=10)
    assert (np.abs(magnetization(spins)) == 1).all()
    assert len(np.unique(magnetization(spins))) == 2


@pytest.mark.slow
def test_a_lattice_with_sixteen_words_per_row_is_that_of_its_number():
    spins = sample_lattices([0.3, 0.5], 1024, seed=4, steps=2)
    np.testing.assert_array_equal(
        sample_lattices([0.5], 1024, seed=4, first_lattice=1, steps=2)[0], spins[1]
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"L": 5}, "L is 5; it must be an even integer from 4"),
        ({"L": 2}, "L is 2"),
        ({"L": -8}, "L is -8"),
        ({"betas": []}, "betas has shape"),
        ({"betas": 0.4}, "betas has shape"),
        ({"betas": ["hot"]}, r"betas is \['hot'\]; it must be a list of numbers"),
        ({"betas": None}, r"betas\[0\] is|betas has shape"),
        ({"L": "8"}, "L is '8'; it must be an integer"),
        ({"L": 8.0}, "L is 8.0; it must be an integer"),
        ({"seed": 1.5}, "seed is 1.5; it must be an integer"),
        ({"steps": "many"}, "steps is 'many'; it must be an integer"),
        ({"first_lattice": None}, "first_lattice is None; it must be an integer"),
        ({"betas": [0.1, -0.2]}, r"betas\[1\] is -0.2"),
        ({"betas": [np.nan]}, r"betas\[0\] is nan"),
        ({"betas": [0.1, 0.2, np.inf]}, r"betas\[2\] is inf"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"steps": 0}, "steps is 0"),
        ({"first_lattice": -1}, "first_lattice is -1"),
        ({"first_lattice": 2**32}, "first_lattice is 4294967296"),
    ],
)
def test_bad_input_is_named_in_a_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        sample_lattices(**{"betas": [0.4], "L": 8, "seed": 1, **change})


@pytest.mark.parametrize("L", [3, 0, 9])
def test_equilibration_steps_are_for_lattices_the_sampler_can_do(L):
    with pytest.raises(ValueError, match=f"L is {L}"):
        equilibration_steps(L)
