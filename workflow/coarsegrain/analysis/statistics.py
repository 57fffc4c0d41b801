"""Means with errors, over lattices and over independently trained members."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def standard_error(values: npt.NDArray[np.floating], axis: int = -1) -> FloatArray:
    """Standard error of the mean of independent values along ``axis``."""
    n = values.shape[axis]
    return np.asarray(values.std(axis=axis, ddof=1) / np.sqrt(n), dtype=np.float64)


def crossed_standard_error(values: npt.NDArray[np.floating]) -> float:
    """Standard error of the grand mean when every member is measured on the same lattices.

    Members and lattices are both random samples, so both spreads count:
    SE² = s²(member means)/M + s²(lattice means)/n. Each term also holds a share of the
    member-lattice interaction, which makes the sum slightly conservative.

    Args:
        values: (members, lattices).
    """
    by_member, by_lattice = values.mean(axis=1), values.mean(axis=0)
    variance = by_lattice.var(ddof=1) / len(by_lattice)
    if len(by_member) > 1:
        variance += by_member.var(ddof=1) / len(by_member)
    return float(np.sqrt(variance))
