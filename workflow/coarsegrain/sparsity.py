"""How many of its weights a unit really uses: two measures of sparsity."""

import numpy as np
import numpy.typing as npt

PerUnit = npt.NDArray[np.float64]


def participation_ratio(fields: npt.NDArray[np.float64]) -> PerUnit:
    """(Σ w²)²/Σ w⁴: over how many inputs a unit is spread.

    It is k for k equal weights among zeros, and about n/3 for n Gaussian ones.

    Args:
        fields: (units, …) the weights of each unit.
    Returns:
        (units,) from 1 to the number of inputs; that number for a unit without weights, which
        counts as a uniform one.
    """
    flat = fields.reshape(len(fields), -1)
    largest = abs(flat).max(axis=1, keepdims=True)
    squares = (flat / np.where(largest == 0, 1, largest)) ** 2  # w⁴ itself may underflow
    fourth = (squares**2).sum(axis=1)
    ratio = squares.sum(axis=1) ** 2 / np.where(fourth == 0, 1, fourth)
    return np.asarray(np.where(fourth == 0, flat.shape[1], ratio))


def hoyer_sparsity(fields: npt.NDArray[np.float64]) -> PerUnit:
    """(√n − Σ|w| / √Σw²) / (√n − 1) of n weights: 1 for a single one, 0 for a uniform unit.

    P. O. Hoyer, J. Mach. Learn. Res. 5, 1457 (2004), section 3.1.

    Args:
        fields: (units, …) the weights of each unit, two or more.
    Returns:
        (units,) from 0 to 1; 0 for a unit without weights, which counts as a uniform one.
    """
    flat = abs(fields.reshape(len(fields), -1))
    largest = flat.max(axis=1, keepdims=True)
    scaled = flat / np.where(largest == 0, 1, largest)
    norm = np.sqrt((scaled**2).sum(axis=1))
    root = flat.shape[1] ** 0.5
    sparsity = (root - scaled.sum(axis=1) / np.where(norm == 0, 1, norm)) / (root - 1)
    return np.asarray(np.where(norm == 0, 0.0, sparsity))
