"""The dual of the Ising model against dense matrices and sums over all states."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.dual import MARGIN, DualIsing, log_cosh, magnetization_squared
from coarsegrain.ising.exact import energy_per_site as kaufmans_energy
from coarsegrain.ising.observables import energy_per_site
from coarsegrain.ising.observables import magnetization_squared as squared_magnetization_of_spins
from ising.exact_fields import (
    N,
    assert_mean,
    coupling_matrix,
    drawn_fields,
    drawn_lattices,
    mean_energy,
    probabilities,
)
from rg.exact_states import all_states

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "neuralrg_dual_exact.json").read_text()
)["rows"]

#: <m²> of the 4 x 4 lattice at T_c, by transfer matrix.
M2_OF_L_4 = 0.761359


@pytest.fixture(scope="module")
def dual():
    return DualIsing(4, BETA_CRITICAL)


@pytest.fixture(scope="module")
def exact_fields(dual):
    """(200000, 4, 4) fields of lattices drawn with their exact probabilities."""
    return drawn_fields(dual, 200_000, seed=1)


def random_fields(n, L, seed):
    return 2 * np.random.default_rng(seed).standard_normal((n, L, L))


@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: f"L{row['L']}-T{row['T']:.4g}")
def test_log_integral_equals_the_reference(row):
    log_integral = DualIsing(row["L"], 1 / row["T"]).log_integral()
    assert log_integral == pytest.approx(-row["minus_ln_Z_dual"], abs=1e-9)


@pytest.mark.parametrize("beta", [0.0, 0.25, BETA_CRITICAL, 1.0])
def test_log_integral_at_L_4_is_the_sum_over_all_states(beta):
    """∫ exp(−½ xᵀK⁻¹x + sᵀx) dx = √det(2πK) exp(½ sᵀKs) of each, and Π cosh x_i is 2^−N Σ_s."""
    K = coupling_matrix(4, beta)
    spins = all_states().reshape(-1, N).astype(float)
    exponents = ((spins @ K) * spins).sum(axis=1) / 2
    log_sum = np.logaddexp.reduce(exponents) - N * math.log(2)
    expected = log_sum + np.linalg.slogdet(2 * math.pi * K)[1] / 2
    assert DualIsing(4, beta).log_integral() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("L", [4, 6, 16])
@pytest.mark.parametrize("beta", [0.0, 0.1, BETA_CRITICAL, 2.0])
def test_spectrum_is_positive_and_that_of_the_dense_matrix(L, beta):
    spectrum = DualIsing(L, beta).spectrum
    assert spectrum.min() == pytest.approx(MARGIN, abs=1e-12)
    expected = np.linalg.eigvalsh(coupling_matrix(L, beta))
    np.testing.assert_allclose(np.sort(spectrum.reshape(-1)), expected, atol=1e-12)


@pytest.mark.parametrize("L", [4, 6])
def test_log_determinant_is_that_of_the_dense_matrix(L):
    expected = np.linalg.slogdet(coupling_matrix(L, 0.4))[1]
    assert DualIsing(L, 0.4).log_det() == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("power", [-1, -0.5, 0.5, 1])
def test_powers_of_the_matrix_are_those_of_the_dense_one(power):
    fields = random_fields(3, 4, seed=3)
    values, vectors = np.linalg.eigh(coupling_matrix(4, 0.4))
    matrix = vectors * values**power @ vectors.T
    expected = (fields.reshape(3, N) @ matrix).reshape(3, 4, 4)
    np.testing.assert_allclose(DualIsing(4, 0.4).multiplied(fields, power), expected, atol=1e-12)


def test_energy_is_that_of_the_dense_matrix(dual):
    fields = random_fields(20, 4, seed=4)
    x = fields.reshape(-1, N)
    quadratic = (np.linalg.solve(coupling_matrix(4, BETA_CRITICAL), x.T).T * x).sum(axis=1) / 2
    expected = quadratic - np.log(np.cosh(x)).sum(axis=1)
    np.testing.assert_allclose(dual.energy(fields), expected, rtol=1e-12)


def test_gradient_is_that_of_automatic_differentiation():
    beta, L = 0.4, 6
    fields = random_fields(5, L, seed=5)
    x = torch.tensor(fields, requires_grad=True)
    inverse = torch.linalg.inv(torch.tensor(coupling_matrix(L, beta)))
    flat = x.reshape(5, -1)
    energy = ((flat @ inverse) * flat).sum() / 2 - torch.log(torch.cosh(flat)).sum()
    (expected,) = torch.autograd.grad(energy, x)
    np.testing.assert_allclose(DualIsing(L, beta).gradient(fields), expected, atol=1e-11)


def test_density_of_fields_is_the_joint_density_summed_over_the_spins(dual):
    inverse = np.linalg.inv(coupling_matrix(4, BETA_CRITICAL))
    spins = all_states().reshape(-1, N).astype(float)
    for field in random_fields(10, 4, seed=6):
        x = field.reshape(N)
        log_sum = np.logaddexp.reduce(spins @ x) - x @ inverse @ x / 2
        expected = N * math.log(2) - log_sum
        assert dual.energy(field[None])[0] == pytest.approx(expected, abs=1e-10)


def test_fields_of_one_lattice_are_normal_with_mean_Ks_and_covariance_K(dual):
    K = coupling_matrix(4, BETA_CRITICAL)
    spins = drawn_lattices(BETA_CRITICAL, 1, seed=7)
    n = 20_000
    fields = dual.draw_fields(np.repeat(spins, n, axis=0), np.random.default_rng(8))
    apart = fields.reshape(n, N) - K @ spins.reshape(N)
    white = apart @ np.linalg.inv(np.linalg.cholesky(K)).T
    # 16 means and 136 covariances, of variance 1/n; of squares 2/n
    assert np.abs(white.mean(axis=0)).max() < 4 / math.sqrt(n)
    spread = np.sqrt((1 + np.eye(N)) / n)
    assert (np.abs(white.T @ white / n - np.eye(N)) / spread).max() < 4.5


def test_mean_energy_of_exact_fields_is_exact(dual, exact_fields):
    """The quadratic part also by Kaufman: ⟨xᵀK⁻¹x⟩ = N + ⟨sᵀKs⟩."""
    e = kaufmans_energy(BETA_CRITICAL, 4)
    quadratic = (N * (1 + dual.offset) - 2 * BETA_CRITICAL * N * e) / 2
    assert_mean((dual.multiplied(exact_fields, -1) * exact_fields).sum(axis=(1, 2)) / 2, quadratic)
    assert_mean(dual.energy(exact_fields), mean_energy(BETA_CRITICAL))


def test_squared_magnetization_of_exact_fields_is_that_of_all_states(exact_fields):
    exact = probabilities(BETA_CRITICAL) @ squared_magnetization_of_spins(all_states())
    assert exact == pytest.approx(M2_OF_L_4, abs=1e-6)
    assert_mean(magnetization_squared(exact_fields), exact)


def test_squared_magnetization_is_the_mean_over_the_spins_given_the_fields():
    (field,) = random_fields(1, 4, seed=9)
    spins = all_states().reshape(-1, N).astype(float)
    chances = np.exp(spins @ field.reshape(N) - np.logaddexp.reduce(spins @ field.reshape(N)))
    expected = chances @ spins.mean(axis=1) ** 2
    assert magnetization_squared(field[None])[0] == pytest.approx(expected, abs=1e-12)


def test_spins_of_exact_fields_are_ising_lattices_again(dual, exact_fields):
    spins = dual.draw_spins(exact_fields, np.random.default_rng(10))
    assert spins.dtype == np.int8
    assert set(np.unique(spins)) == {-1, 1}
    assert_mean(energy_per_site(spins), kaufmans_energy(BETA_CRITICAL, 4))
    assert_mean(squared_magnetization_of_spins(spins), M2_OF_L_4)


def test_spins_are_up_with_the_logistic_probability(dual):
    (field,) = random_fields(1, 4, seed=11) / 2
    n = 40_000
    spins = dual.draw_spins(np.repeat(field[None], n, axis=0), np.random.default_rng(12))
    expected = 1 / (1 + np.exp(-2 * field))
    error = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs((spins == 1).mean(axis=0) - expected) < 4 * error).all()


def test_huge_fields_overflow_nowhere(dual):
    fields = np.full((1, 4, 4), 1000.0)
    fields[0, ::2] *= -1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            dual.draw_spins(fields, np.random.default_rng(0)), np.sign(fields)
        )
        assert np.isfinite(dual.energy(fields)).all()
        assert log_cosh(np.array([-1000.0]))[0] == pytest.approx(1000 - math.log(2), rel=1e-15)


def test_fields_of_single_precision_have_energies_in_double(dual):
    fields = random_fields(5, 4, seed=13).astype(np.float32)
    energies = dual.energy(fields)
    assert energies.dtype == np.float64
    np.testing.assert_array_equal(energies, dual.energy(fields.astype(np.float64)))


@given(beta=st.floats(0, 1), half=st.integers(2, 6), seed=st.integers(0, 2**32))
def test_energy_is_even_and_the_same_for_shifted_fields(beta, half, seed):
    dual = DualIsing(2 * half, beta)
    fields = random_fields(2, 2 * half, seed)
    energies = dual.energy(fields)
    for other in (-fields, np.roll(fields, (1, 3), axis=(1, 2)), fields.transpose(0, 2, 1)):
        np.testing.assert_allclose(dual.energy(other), energies, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("L", [-4, 0, 2, 5, 33])
def test_odd_and_too_small_sides_are_refused(L):
    with pytest.raises(ValueError, match=f"L is {L}; .* even L of at least 4"):
        DualIsing(L, 0.4)


@pytest.mark.parametrize("beta", [-0.1, math.nan, math.inf, 51.0])
def test_inverse_temperatures_out_of_range_are_refused(beta):
    with pytest.raises(ValueError, match=r"beta is .* from 0 to 50"):
        DualIsing(4, beta)
