"""What a scale passes on to the next one: orthogonal transforms along the axes of a lattice.

Of m sites along an axis, those with even numbers get the m/2 coarse variables, the others what is
left. Both are filtered, so that all plane waves keep their length:

    coarse = (h ∗ x) at even sites,   the rest = (g ∗ x) at odd ones,   |h(k)|² + |g(k)|² = 2.

``waves``: h is √2 below half the largest wave number and 0 above it, 1 at it: a shell of short
waves is left out, as in K. Wilson and J. Kogut, Phys. Rep. 12, 75 (1974); C. Shannon's wavelets
(S. Mallat, A Wavelet Tour of Signal Processing, ch. 7). The lattice between coarse variables is
given by them: it matters little where the even sites are.

``means``: sums and differences of pairs over √2, so means of 2 × 2 blocks in two dimensions: L.
Kadanoff's blocks; A. Haar, Math. Ann. 69, 331 (1910).

``sites``: nothing is transformed, every second site goes on.
"""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WAVES, MEANS, SITES = "waves", "means", "sites"
#: What a scale may pass on.
PASSES = (WAVES, MEANS, SITES)


def transform(passes: str, m: int) -> Array:
    """The orthogonal matrix (m, m) from sites to coarse variables and what is left.

    Args:
        passes: one of ``PASSES``.
        m: sites along an axis, 2 or a multiple of 4.
    """
    if passes == SITES:
        return np.eye(m)
    if passes == MEANS:
        pair = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
        return np.asarray(np.kron(np.eye(m // 2), pair))
    low, high = (_filter(m, below) for below in (True, False))
    # row i has its filter's middle at site i
    filters = [low if i % 2 == 0 else high for i in range(m)]
    return np.stack([np.roll(each, i) for i, each in enumerate(filters)])


def _filter(m: int, below: bool) -> Array:
    """The waves below or above a quarter of m, by distance: (m,), symmetric."""
    k = np.minimum(np.arange(m), m - np.arange(m))
    at = np.where((k < m / 4) == below, math.sqrt(2), 0.0)
    at[4 * k == m] = 1
    waves = [[math.cos(2 * math.pi * ((n * each) % m) / m) for each in range(m)] for n in range(m)]
    return np.array([math.fsum(at * each) / m for each in np.array(waves)])
