"""Independent samples of the Ising ring, and the correlation length measured on them.

A ring's bonds u_i = s_i s_{i+1} are independent, P(u) ∝ Π e^(K u_i), but for one condition: once
around, Π u_i = 1. So the bonds are drawn independently, and a ring with an odd number of −1 is
drawn anew. What is kept has exactly the ring's distribution, for every N; at least half is kept.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: A correlation length is measured on rings that are longer by this factor.
LONGER = 10
# Spins in memory at a time while a length is measured.
_CHUNK = 2**20
# Halvings of an interval of floats in [0, 1], until none is left.
_HALVINGS = 80


class CorrelationLength(NamedTuple):
    """A correlation length and its standard error, in sites."""

    xi: float
    std_error: float


def sample_rings(K: float, N: int, n: int, *, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Independent rings at inverse temperature K.

    Args:
        K: inverse temperature.
        N: spins of a ring, at least 3.
        n: number of rings.
        rng: draws them.
    Returns:
        (n, N) int8, ±1.
    """
    if N < 3:
        raise ValueError(f"a ring has 3 spins or more, not {N}.")
    against = 1 / (1 + math.exp(2 * K))  # of a bond of −1
    flips = np.empty((n, N), dtype=np.uint8)
    missing = np.arange(n)
    while len(missing):
        drawn = rng.random((len(missing), N)) < against
        flips[missing] = drawn
        missing = missing[drawn.sum(axis=1) % 2 == 1]
    # the last bond closes the ring; spin 0 is free
    flips[:, 1:] = flips[:, :-1]
    flips[:, 0] = rng.integers(0, 2, size=n, dtype=np.uint8)
    down = np.bitwise_xor.accumulate(flips, axis=1)
    return np.asarray(1 - 2 * down.astype(np.int8), dtype=np.int8)


def measured_correlation_length(
    K: float, N: int, n: int, *, r: int = 1, rng: np.random.Generator
) -> CorrelationLength:
    """ξ of n sampled rings: where the ring's exact ⟨s_0 s_r⟩, as a function of ξ, is the measured.

    See ``length_of_correlation``. Neighbours, r = 1, have the smallest error: on the ring the
    likelihood of a sample depends on their sum alone, and this ξ is its maximum. Other distances
    give the same ξ within their errors.

    Raises:
        ValueError: no correlation was seen, or ξ is not below N/10. Beyond, whole rings are
            ordered, ⟨s_0 s_r⟩ hardly depends on ξ, and the error is no longer a Gaussian's.
    """
    total, of_squares = 0, 0
    chunk = max(1, _CHUNK // N)
    for first in range(0, n, chunk):
        spins = sample_rings(K, N, min(chunk, n - first), rng=rng)
        sums = (spins * np.roll(spins, -r, axis=1)).sum(axis=1, dtype=np.int64)
        total += int(sums.sum())
        of_squares += int((sums**2).sum())
    mean = total / (n * N)
    # of rings, which are independent; whole numbers up to here, so that no order of sums matters
    variance = (n * of_squares - total**2) / (n * (n - 1)) / N**2
    if not 0 < mean < 1:
        raise ValueError(f"⟨s_0 s_{r}⟩ is {mean} in {n} rings at K = {K}; sample more of them.")
    xi, slope = length_of_correlation(mean, N, r)
    if xi >= N / LONGER:
        raise ValueError(
            f"ξ is {xi:.3g} at K = {K}, which a ring of {N} spins is too short for: "
            f"sample rings of more than {LONGER} ξ."
        )
    return CorrelationLength(xi, math.sqrt(variance / n) / slope)


def length_of_correlation(value: float, N: int, r: int) -> tuple[float, float]:
    """The ξ at which a ring of N spins has ⟨s_0 s_r⟩ = ``value``, and d⟨s_0 s_r⟩/dξ there.

    With x = e^(−1/ξ), ⟨s_0 s_r⟩ = (x^r + x^(N−r))/(1 + x^N): two ways lead from 0 to r. It grows
    with x from 0 to 1. Right for every N; a fit of e^(−r/ξ) alone would not be.

    Args:
        value: 0 < value < 1.
        N: spins of the ring.
        r: distance, 1 ≤ r ≤ N/2.
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        x = (low + high) / 2
        if (x**r + x ** (N - r)) / (1 + x**N) < value:
            low = x
        else:
            high = x
    x = (low + high) / 2
    numerator, denominator = x**r + x ** (N - r), 1 + x**N
    by_x = (r * x ** (r - 1) + (N - r) * x ** (N - r - 1)) / denominator
    by_x -= numerator * N * x ** (N - 1) / denominator**2
    xi = -1 / math.log(x)
    return xi, by_x * x / xi**2
