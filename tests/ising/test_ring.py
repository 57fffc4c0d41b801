"""The exact ring against enumeration and infinite-chain values."""

import math

import mpmath
import numpy as np
import pytest

from coarsegrain.ising import ring

COUPLINGS = (0.0, 0.1, 0.5, 1.0, 2.0)
SIZES = (3, 4, 5, 8, 10)


def enumerated(K, N):
    """Spins of all states, one by one, their numbers of satisfied minus broken bonds, and p."""
    states = [[1 - 2 * (k >> i & 1) for i in range(N)] for k in range(2**N)]
    sums = [sum(s[i] * s[(i + 1) % N] for i in range(N)) for s in states]
    weights = [math.exp(K * each) for each in sums]
    z = math.fsum(weights)
    return np.array(states), np.array(sums), np.array(weights) / z, math.log(z)


@pytest.mark.parametrize("N", SIZES)
@pytest.mark.parametrize("K", COUPLINGS)
def test_ring_equals_enumeration(K, N):
    states, sums, p, log_z = enumerated(K, N)
    assert ring.log_partition_function(K, N) == pytest.approx(log_z, rel=1e-14)
    assert ring.energy(K, N) == pytest.approx(-float(p @ sums), abs=1e-12)
    assert ring.entropy(K, N) == pytest.approx(-math.fsum(p * np.log(p)), abs=1e-12)
    for r in range(N + 1):
        exact = float(p @ (states[:, 0] * states[:, r % N]))
        assert ring.correlation(K, N, r) == pytest.approx(exact, abs=1e-13)
    np.testing.assert_array_equal(ring.all_states(N), states)
    np.testing.assert_allclose(ring.state_probabilities(K, N), p, rtol=1e-12)


@pytest.mark.parametrize(
    ("K", "after"), [(0.5, 0.216890), (1.0, 0.662501), (1.5, 1.154664), (2.0, 1.653594)]
)
def test_decimation_by_two_is_half_the_log_cosh(K, after):
    assert ring.decimated_coupling(K, 2) == pytest.approx(after, abs=5e-7)
    assert ring.decimated_coupling(K, 2) == pytest.approx(0.5 * math.log(math.cosh(2 * K)))


@pytest.mark.parametrize(("b", "N"), [(2, 8), (2, 10), (3, 9)])
def test_every_bth_spin_of_a_ring_is_distributed_as_a_ring_with_the_decimated_coupling(b, N):
    states, _, p, _ = enumerated(0.7, N)
    kept = (states[:, ::b] < 0) @ 2 ** np.arange(N // b)
    marginal = np.bincount(kept, p)
    after = ring.state_probabilities(ring.decimated_coupling(0.7, b), N // b)
    np.testing.assert_allclose(marginal, after, rtol=1e-12)


@pytest.mark.parametrize("K", [1e-3, 0.2, 0.7, 1.5, 6.0])
def test_correlation_length_is_minus_one_over_the_log_of_tanh(K):
    with mpmath.workdps(40):
        xi = -1 / mpmath.log(mpmath.tanh(K))
        slope = mpmath.diff(lambda x: mpmath.log(-1 / mpmath.log(mpmath.tanh(x))), K)
    value, by_k = ring.log_correlation_length([K])
    assert ring.correlation_length(K) == pytest.approx(float(xi), rel=1e-13)
    assert value[0] == pytest.approx(float(mpmath.log(xi)), abs=1e-13)
    assert by_k[0] == pytest.approx(float(slope), rel=1e-10)


@pytest.mark.parametrize("b", [2, 3, 5])
def test_decimation_divides_the_correlation_length_by_b(b):
    after = ring.decimated_coupling(1.2, b)
    assert ring.correlation_length(after) == pytest.approx(ring.correlation_length(1.2) / b)


def test_two_spins_are_no_ring():
    with pytest.raises(ValueError, match="3 spins or more, not 2"):
        ring.log_partition_function(1.0, 2)
