"""Linear algebra of a few couplings: sums in the order written here, the same on every processor.

LAPACK picks its own by the processor, and the last digits with it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

_SQUARINGS = 50
_LARGEST_RESIDUAL = 1e-8


class LeadingEigenvalue(NamedTuple):
    """The eigenvalue of largest modulus, with its vectors: A r = λ B r and l A = λ l B."""

    value: float
    left: Vector
    right: Vector


def product(a: Matrix, b: Matrix) -> Matrix:
    """The matrix product a b."""
    total = a[:, :1] * b[:1]
    for k in range(1, len(b)):
        total = total + a[:, k : k + 1] * b[k : k + 1]
    return total


def solution(a: Matrix, b: Matrix) -> Matrix:
    """x with a x = b, by Gauss-Jordan elimination with pivots.

    Args:
        a: (k, k).
        b: (k, m).
    Returns:
        (k, m); NaN where ``a`` is singular.
    """
    k = len(a)
    rows = np.concatenate([a, b], axis=1)
    scale = np.abs(a).max()
    for column in range(k):
        pivot = column + int(np.abs(rows[column:, column]).argmax())
        if np.abs(rows[pivot, column]) <= 1e-13 * scale:
            return np.full(b.shape, np.nan)
        rows[[column, pivot]] = rows[[pivot, column]]
        rows[column] = rows[column] / rows[column, column]
        for row in range(k):
            if row != column:
                rows[row] = rows[row] - rows[row, column] * rows[column]
    return rows[:, k:]


def leading_eigenvalue(a: Matrix, b: Matrix) -> LeadingEigenvalue | None:
    """The generalized eigenvalue λ of largest modulus of A r = λ B r.

    By squaring T = B⁻¹A again and again: T^(2^m) tends to the outer product of its vectors.

    Args:
        a: (k, k).
        b: (k, k).
    Returns:
        λ and its vectors; None if B is singular, or a pair of eigenvalues has the same modulus,
        such as two complex ones.
    """
    transfer = solution(b, a)
    if not np.isfinite(transfer).all() or not transfer.any():
        return None
    power = transfer
    for _ in range(_SQUARINGS):
        power = product(power, power)
        if not power.any():
            return None
        power = power / np.abs(power).max()
    row, column = divmod(int(np.abs(power).argmax()), len(power))
    right = power[:, column]
    # rows of T^(2^m) are left vectors of T = B⁻¹A; those of the pair (A, B) are l B⁻¹
    left = solution(b.T, power[row][:, None])[:, 0]
    weight = _form(left, b, right)
    value = _form(left, a, right) / weight if weight else np.nan
    residual = product(transfer, right[:, None])[:, 0] - value * right
    if not np.abs(residual).max() <= _LARGEST_RESIDUAL * max(abs(value), 1e-300):
        return None
    return LeadingEigenvalue(float(value), left / weight, right)


def _form(left: Vector, matrix: Matrix, right: Vector) -> float:
    return float(product(product(left[None], matrix), right[:, None])[0, 0])
