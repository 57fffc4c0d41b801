"""The Ising model on a ring of N spins, exactly (E. Ising, Z. Phys. 31, 253 (1925)).

H = −Σ_i s_i s_{i+1} with s_N = s_0, K = β, J = k_B = 1. The transfer matrix has the eigenvalues
2 cosh K and 2 sinh K; with their ratio t = tanh K,

    Z = (2 cosh K)^N (1 + t^N)                    ⟨s_0 s_r⟩ = (t^r + t^(N−r))/(1 + t^N)
    ξ = −1/ln t  (N → ∞)                          K' = artanh t^b  (every b-th spin kept).

N ≥ 3: on a ring of two spins the bond would count twice.

Powers and exponentials are the C library's, which may round the last bit of a float64 in another
way on another processor.
"""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def correlation_length(K: float) -> float:
    """ξ of the infinite chain in sites, ⟨s_0 s_r⟩ = e^(−r/ξ): −1/ln tanh K = ½/artanh e^(−2K).

    Args:
        K: inverse temperature, above 0.
    """
    return 0.5 / math.atanh(math.exp(-2 * K))


def log_correlation_length(K: npt.ArrayLike) -> tuple[Array, Array]:
    """ln ξ and its slope, d ln ξ/dK = 2ξ/sinh 2K.

    Args:
        K: (n,) inverse temperatures, above 0.
    Returns:
        Two arrays, (n,) each.
    """
    values = np.asarray(K, dtype=np.float64).tolist()
    lengths = [correlation_length(each) for each in values]
    slopes = [2 * xi / math.sinh(2 * each) for xi, each in zip(lengths, values)]
    return np.array([math.log(xi) for xi in lengths]), np.array(slopes)


def decimated_coupling(K: float, b: int) -> float:
    """K' = artanh(tanh^b K): the coupling when every b-th spin is kept. For b = 2, ½ ln cosh 2K.

    ⟨s_0 s_b⟩ = t^b of the infinite chain is that of neighbours with K'; so is Z of a ring whose N
    is a multiple of b, up to a factor.
    """
    return math.atanh(math.tanh(K) ** b)


def correlation(K: float, N: int, r: int) -> float:
    """⟨s_0 s_r⟩ on a ring of N spins, 0 ≤ r ≤ N."""
    t = math.tanh(K)
    return float((t**r + t ** (_checked(N) - r)) / (1 + t**N))


def log_partition_function(K: float, N: int) -> float:
    """ln Z of the ring in nats; N ln 2 at K = 0."""
    # ln 2cosh K = K + ln(1 + e^(−2K)), which does not overflow
    per_spin = abs(K) + math.log1p(math.exp(-2 * abs(K)))
    return _checked(N) * per_spin + math.log1p(math.tanh(K) ** N)


def energy(K: float, N: int) -> float:
    """⟨H⟩ of the ring: −N ⟨s_0 s_1⟩."""
    return -N * correlation(K, N, 1)


def entropy(K: float, N: int) -> float:
    """Entropy of the ring in nats, ln Z + K ⟨H⟩; N ln 2 at K = 0, ln 2 as K → ∞."""
    return log_partition_function(K, N) + K * energy(K, N)


def all_states(N: int) -> npt.NDArray[np.int8]:
    """Every state of N spins: (2^N, N) int8, ±1; spin i of state k is −1 where bit i of k is 1."""
    bits = (np.arange(2**N)[:, None] >> np.arange(N)) & 1
    return np.asarray(1 - 2 * bits, dtype=np.int8)


def state_probabilities(K: float, N: int) -> Array:
    """p of every state of the ring, in the order of ``all_states``: (2^N,)."""
    spins = all_states(N)
    bonds = (spins * np.roll(spins, -1, axis=1)).sum(axis=1, dtype=int)
    log_z = log_partition_function(K, N)
    of_sum = {int(each): math.exp(K * int(each) - log_z) for each in np.unique(bonds)}
    return np.array([of_sum[each] for each in bonds.tolist()])


def _checked(N: int) -> int:
    if N < 3:
        raise ValueError(f"a ring has 3 spins or more, not {N}.")
    return N
