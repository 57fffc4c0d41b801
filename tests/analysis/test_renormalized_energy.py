"""Renormalized energies against normal densities, for which all is known in closed form."""

import numpy as np
import pytest
from scipy import stats

from coarsegrain.analysis.free_field import FreeField, free_field
from coarsegrain.analysis.renormalized_energy import (
    fitted_couplings,
    local_operators,
    renormalized_energy,
)
from coarsegrain.ising.dual import DualIsing

L, N, SAMPLES = 4, 16, 20_000
DUAL = DualIsing(L, 0.3)


def normal_fields(seed):
    """Samples of N(0, K)."""
    return DUAL.multiplied(np.random.default_rng(seed).standard_normal((SAMPLES, L, L)), 0.5)


def covariance(spectrum):
    """(N, N) of all sites, by its eigenvectors, the plane waves."""
    waves = np.exp(2j * np.pi * np.outer(np.arange(L), np.arange(L)) / L)
    both = np.kron(waves, waves) / L
    return ((both * spectrum.reshape(-1)) @ both.conj().T).real


@pytest.mark.parametrize("modes", [0.0, 3.0])
def test_free_fields_have_the_density_of_their_covariance_and_of_two_signs(modes):
    fields = normal_fields(1)[:20]
    mean = np.full(N, modes / L)  # the uniform wave is Σy/√N
    dense = stats.multivariate_normal(mean, covariance(DUAL.spectrum))
    flat = fields.reshape(len(fields), N)
    exact = np.logaddexp(dense.logpdf(flat), dense.logpdf(-flat)) - np.log(2)
    found = FreeField(DUAL.spectrum, modes).log_density(fields)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-9)


def test_a_fit_finds_the_covariance_and_the_two_modes_of_samples():
    signs = np.random.default_rng(2).choice([-1, 1], SAMPLES)[:, None, None]
    found = free_field(normal_fields(1) + signs * 5 / L, two_signs=True)
    assert found.modes == pytest.approx(5, abs=0.05)
    np.testing.assert_allclose(found.spectrum, DUAL.spectrum, rtol=5 * np.sqrt(2 / SAMPLES))
    # a uniform wave that is normal has no modes, but for noise
    assert free_field(normal_fields(1), two_signs=True).modes < 0.6 * DUAL.spectrum[0, 0] ** 0.5


@pytest.mark.parametrize("two_signs", [False, True])
def test_fields_that_prefer_a_sign_have_the_free_field_of_their_mean(two_signs):
    fields = normal_fields(1) - 5 / L
    found = free_field(fields, two_signs=two_signs).log_density(fields[:50])
    exact = FreeField(DUAL.spectrum).log_density(normal_fields(1)[:50])
    np.testing.assert_allclose(found, exact, atol=0.3)
    assert abs((found - exact).mean()) < 0.05


def test_energies_of_a_normal_density_tell_as_much_as_a_free_field_and_no_more():
    q = FreeField(DUAL.spectrum)
    exact, fresh = normal_fields(1), normal_fields(2)
    found = renormalized_energy(exact, q.log_density(exact), q.log_density(fresh))
    entropy = N / 2 * (1 + np.log(2 * np.pi)) + DUAL.log_det() / 2
    for mean in (found.exact, found.fresh):
        assert abs(mean.nats - entropy) < 4 * mean.error
        assert mean.spread == pytest.approx(np.sqrt(N / 2), rel=0.05)
    for beyond in (found.beyond_free, found.beyond_two_signs):
        assert abs(beyond.nats) < 4 * beyond.error + N / SAMPLES


def test_a_wrong_energy_tells_less_by_its_divergence():
    """q = N(0, 2K) of samples of N(0, K): KL(p‖q) = N (ln 2 − ½)/2."""
    q = FreeField(2 * DUAL.spectrum)
    exact, fresh = normal_fields(1), np.sqrt(2) * normal_fields(2)
    found = renormalized_energy(exact, q.log_density(exact), q.log_density(fresh))
    divergence = N * (np.log(2) - 0.5) / 2
    assert abs(found.beyond_free.nats + divergence) < 4 * found.beyond_free.error
    # of the mean energies, halves: N/4 of q's own samples' N/2 is left
    assert found.exact.nats - found.fresh.nats == pytest.approx(-N / 4, abs=0.1)


def test_couplings_of_an_energy_of_local_operators_are_found():
    fields = normal_fields(1)
    operators = local_operators(fields)
    given = dict(zip(operators, (0.5, -0.2, 0.1, 0.02)))
    energy = sum(given[name] * each for name, each in operators.items())
    found = fitted_couplings(energy + 3.0, operators)
    assert found.of_operators == pytest.approx(given, rel=1e-6)
    assert found.explained == pytest.approx(1)
    noise = np.random.default_rng(3).normal(0, energy.std(), SAMPLES)
    found = fitted_couplings(energy + noise, operators)
    assert found.explained == pytest.approx(0.5, abs=0.03)
    for name, value in found.of_operators.items():
        assert abs(value - given[name]) < 4 * found.errors[name]


def test_local_operators_count_every_pair_once():
    fields = np.zeros((1, L, L))
    fields[0, 0, 0], fields[0, 0, 1], fields[0, 1, 1], fields[0, 3, 0] = 2, 3, 5, 7
    found = {name: each.item() for name, each in local_operators(fields).items()}
    assert found == {
        "y²": 4 + 9 + 25 + 49,
        "y y' nearest": 2 * 3 + 3 * 5 + 2 * 7,
        "y y' diagonal": 2 * 5 + 3 * 7,
        "y⁴": 16 + 81 + 625 + 2401,
    }
    assert list(local_operators(np.ones((3, 1, 1)))) == ["y²", "y⁴"]
