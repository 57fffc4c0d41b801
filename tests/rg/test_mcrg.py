"""Monte Carlo RG against exact enumeration, a closed form in one dimension, and plain numpy."""

from functools import cache

import numpy as np
import pytest
from exact_states import all_states, block_chances, drawn, probabilities, weighted_covariance

from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rg.block_maps import decimation, majority
from coarsegrain.rg.control_variates import energy_controls, local_controls
from coarsegrain.rg.coupling_operators import EVEN, ODD, operator_sums
from coarsegrain.rg.mcrg import covariance, exponent
from coarsegrain.rg.small_matrices import leading_eigenvalue

COARSE_STATES = np.array(
    [[1 if state >> site & 1 else -1 for site in range(4)] for state in range(16)], dtype=np.int8
).reshape(16, 2, 2)


def exact_exponent(chances, operators):
    """y of one step on the 4 x 4 lattice, from all fine and all coarse states."""
    spins, p = all_states(), probabilities()
    fine = operator_sums(spins, operators).astype(float)
    coarse = operator_sums(COARSE_STATES, operators).astype(float)
    up = chances.reshape(-1, 1, 4)
    of_state = np.where(COARSE_STATES.reshape(1, 16, 4) == 1, up, 1 - up).prod(axis=2)
    joint = of_state * p[:, None]
    a = weighted_covariance(of_state @ coarse, fine, p)
    b = weighted_covariance(coarse, coarse, joint.sum(axis=0))
    eigenvalues = np.linalg.eigvals(np.linalg.solve(b, a))
    return np.log2(max(eigenvalues.real))


def sums(spins, block_map, operators, seed=0):
    coarse = block_map(spins, rng=np.random.default_rng(seed))
    return operator_sums(coarse, operators)[:, None], operator_sums(spins, operators)[:, None]


@cache
def exact_energy():
    fine, p = operator_sums(all_states(), EVEN[:1])[:, 0], probabilities()
    return p @ fine, p @ (fine - p @ fine) ** 2


def controls(spins):
    mean, variance = exact_energy()
    of_energy = energy_controls(operator_sums(spins, EVEN[:1])[:, 0], mean, variance)
    return np.concatenate([of_energy, local_controls(spins, BETA_CRITICAL)], axis=1)


CHANCES = {
    decimation: (1 + all_states()[:, ::2, ::2].astype(float)) / 2,
    majority: block_chances(all_states()),
}
CASES = [(m, operators) for m in CHANCES for operators in (EVEN[:1], EVEN[:3], ODD[:1], ODD[:2])]


def test_the_derivative_of_decimating_a_ring_is_tanh_2k():
    K, N = 0.7, 8  # K' = ½ ln cosh 2K, exact on any ring
    ring = 2.0 * ((np.arange(2**N)[:, None] >> np.arange(N)) & 1) - 1
    fine = (ring * np.roll(ring, 1, axis=1)).sum(axis=1, keepdims=True)
    kept = ring[:, ::2]
    coarse = (kept * np.roll(kept, 1, axis=1)).sum(axis=1, keepdims=True)
    p = np.exp(K * fine[:, 0]) / np.exp(K * fine[:, 0]).sum()
    a, b = weighted_covariance(coarse, fine, p), weighted_covariance(coarse, coarse, p)
    found = leading_eigenvalue(a, b)
    assert found.value == pytest.approx(np.tanh(2 * K), abs=1e-12)


@pytest.mark.parametrize(("block_map", "operators"), CASES)
@pytest.mark.parametrize("controlled", [False, True])
def test_exponents_of_sampled_states_are_those_of_all_states(block_map, operators, controlled):
    spins = drawn(40000, seed=1)
    found = exponent(*sums(spins, block_map, operators), controls(spins) if controlled else None)
    exact = exact_exponent(CHANCES[block_map], operators)
    assert abs(found.value - exact) < 4 * found.error
    assert found.error < 0.03


@pytest.mark.parametrize("controlled", [False, True])
def test_errors_are_those_of_repeated_samples_and_the_mean_is_not_biased(controlled):
    exact = exact_exponent(CHANCES[majority], EVEN[:1])
    found = []
    for repeat in range(100):
        spins = drawn(1000, seed=100 + repeat)
        of_energy = controls(spins) if controlled else None
        found.append(exponent(*sums(spins, majority, EVEN[:1], seed=repeat), of_energy))
    scores = np.array([(each.value - exact) / each.error for each in found])
    assert abs(scores.mean()) < 4 / 100**0.5
    assert abs((scores**2).mean() - 1) < 4 * (2 / 100) ** 0.5


def test_exact_controls_make_the_error_smaller():
    spins = drawn(20000, seed=1)
    of_sums = sums(spins, majority, EVEN[:1])
    assert exponent(*of_sums, controls(spins)).error < 0.9 * exponent(*of_sums).error


@pytest.mark.parametrize("k", [1, 2, 3])
def test_exponent_and_error_are_those_of_plain_numpy_and_the_jackknife(k):
    rng = np.random.default_rng(5)
    fine = rng.integers(-9, 10, size=(2000, 1, k))
    coarse = fine + rng.integers(-4, 5, size=(2000, 3, k))

    def plain(rows):
        c = coarse[rows].reshape(-1, k)
        f = np.repeat(fine[rows], 3, axis=1).reshape(-1, k)
        both = np.cov(np.concatenate([c, f], axis=1).T, bias=True)
        return np.log2(max(np.linalg.eigvals(np.linalg.solve(both[:k, :k], both[:k, k:])).real))

    found = exponent(coarse, fine)
    assert found.value == pytest.approx(plain(np.arange(2000)), abs=1e-10)
    left_out = [plain(np.delete(np.arange(2000), slice(10 * b, 10 * b + 10))) for b in range(200)]
    jackknife = (199 / 200 * ((left_out - np.mean(left_out)) ** 2).sum()) ** 0.5
    # a standard deviation of 200 numbers is known to 5 %
    assert found.error == pytest.approx(jackknife, rel=0.2)


def test_covariances_are_exact_where_floats_would_cancel():
    a = np.array([10**6, 10**6 + 1, 10**6 + 2], dtype=np.int64)[:, None, None]
    assert covariance(a, a)[0, 0] == 2 / 3
    assert covariance(np.repeat(a, 2, axis=1), a)[0, 0] == 2 / 3


def test_no_exponent_without_a_positive_eigenvalue():
    fine = np.array([-1, 1, -1, 1])[:, None, None]
    assert np.isnan(exponent(-fine, fine)).all()
    assert np.isnan(exponent(0 * fine, fine)).all()


@pytest.mark.slow
def test_majority_of_sampled_lattices_has_the_published_exponent_at_its_first_step():
    # L = 8, one coupling: 0.884 (see the tables of Swendsen's method in the literature)
    spins = sample_lattices(np.full(20000, BETA_CRITICAL), 8, seed=11)
    found = exponent(*sums(spins, majority, EVEN[:1]))
    assert abs(found.value - 0.884) < 4 * found.error
    assert found.error < 0.01
