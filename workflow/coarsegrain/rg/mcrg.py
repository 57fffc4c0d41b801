"""Monte Carlo renormalization group: exponents of any map from lattices to coarser lattices.

R. H. Swendsen, Phys. Rev. Lett. 42, 859 (1979). A map R takes couplings K to K'. Its derivative
follows from correlations of the sums S that the couplings multiply, fine (S) and coarse (S'), at
the critical point:

    T = ∂K'/∂K = B⁻¹A,   A_ab = ⟨S'_a S_b⟩ − ⟨S'_a⟩⟨S_b⟩,   B_ab = ⟨S'_a S'_b⟩ − ⟨S'_a⟩⟨S'_b⟩

The leading eigenvalue λ of T gives y = ln λ/ln 2: y_T from even sums (1 for the 2D Ising model,
ν = 1/y_T), y_H from odd ones (15/8). Nothing else enters, so any map can be put to this test.

Errors. y is a function of means over independent lattices. To first order, lattice i moves it by
ψ_i/n, with A r = λ B r, l A = λ l B and centred sums

    ψ_i = l·S'_i (r·S_i − λ r·S'_i) / (λ ln 2  l·B r),

whose spread over √n is the standard error (infinitesimal jackknife, Jaeckel 1972). The terms
nearly cancel where the coarse sum follows the fine one: with ties averaged in A but not in B they
would not, so each S' that is drawn enters both.

What is known exactly about the lattices takes its share of noise out of y (``control_variates``).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.rg.control_variates import Estimate, controlled
from coarsegrain.rg.coupling_operators import Sums
from coarsegrain.rg.small_matrices import Matrix, leading_eigenvalue

FloatArray = npt.NDArray[np.float64]


class Correlations(NamedTuple):
    """A = ⟨S'; S⟩ and B = ⟨S'; S'⟩ of (centred) sums, (k, k) each."""

    coarse_fine: Matrix
    coarse_coarse: Matrix


def exponent(coarse: Sums, fine: Sums, controls: FloatArray | None = None) -> Estimate:
    """y of one step of a map.

    A lattice may be mapped several times, after shifts of its origin by which blocks differ. They
    count as one lattice.

    Args:
        coarse: (n, shifts, k) sums S' after the map.
        fine: (n, shifts or 1, k) the same sums S before it.
        controls: (n, c) numbers with mean exactly 0 (see ``control_variates``), or None.
    Returns:
        y with its standard error; NaN for both if the leading eigenvalue is not positive.
    """
    correlations = Correlations(covariance(coarse, fine), covariance(coarse, coarse))
    leading = leading_eigenvalue(*correlations)
    if leading is None or leading.value <= 0:
        return Estimate(math.nan, math.nan)
    of_coarse, of_fine = _centred(coarse), _centred(fine)
    right_coarse = _projected(of_coarse, leading.right)
    moved = _projected(of_fine, leading.right) - leading.value * right_coarse
    # left is normalized to l B r = 1
    influence = _projected(of_coarse, leading.left) * moved / (leading.value * math.log(2))
    value = math.log(leading.value) / math.log(2)
    return controlled(value, _mean_of_shifts(influence), controls)


def covariance(a: Sums, b: Sums) -> Matrix:
    """⟨a_i b_j⟩ − ⟨a_i⟩⟨b_j⟩ over lattices and shifts: integers until the last division.

    Args:
        a: (n, shifts, k).
        b: (n, shifts or 1, k).
    """
    shifts = max(a.shape[1], b.shape[1])
    n = len(a) * shifts
    products = [[int(_pair_sum(a[..., i], b[..., j])) for j in range(b.shape[2])]
                for i in range(a.shape[2])]  # fmt: skip
    repeated = [[shifts // each.shape[1] * int(total) for total in each.sum(axis=(0, 1))]
                for each in (a, b)]  # fmt: skip
    return np.array(
        [[(n * products[i][j] - of_a * of_b) / n**2 for j, of_b in enumerate(repeated[1])]
         for i, of_a in enumerate(repeated[0])]
    )  # fmt: skip


def _pair_sum(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> np.int64:
    """Σ over lattices and shifts of a b; one of them may have a single shift."""
    if a.shape[1] != b.shape[1]:
        a, b = a.sum(axis=1), b.sum(axis=1)
    return np.int64((a * b).sum())


def _centred(sums: Sums) -> FloatArray:
    n = sums.shape[0] * sums.shape[1]
    means = [int(total) / n for total in sums.sum(axis=(0, 1))]
    return np.asarray(sums - np.array(means))


def _projected(sums: FloatArray, vector: FloatArray) -> FloatArray:
    """(n, shifts) Σ_a v_a S_a."""
    total: FloatArray = sums[..., 0] * vector[0]
    for a in range(1, len(vector)):
        total = total + sums[..., a] * vector[a]
    return total


def _mean_of_shifts(values: FloatArray) -> FloatArray:
    total: FloatArray = values[:, 0]
    for shift in range(1, values.shape[1]):
        total = total + values[:, shift]
    return np.asarray(total / values.shape[1])
