"""Decimation: keep every other spin, sum over the rest.

Step 1 keeps the sites with (row + col) even of an l x l lattice and stores them row by row as an
l x l/2 array; step 2 keeps the even rows of that array, which leaves the sublattice
(even row, even col). Two steps halve l, and the pair repeats. After an odd number of steps,
neighbours are the diagonals of the lattice before, not neighbours in the array; only after an even
number is the array a lattice again.
"""

import numpy as np
import numpy.typing as npt


def most_steps(L: int) -> int:
    """Number of decimation steps that an L x L lattice allows: 2k for L = 2^k m with m odd."""
    return 2 * ((L & -L).bit_length() - 1)


def decimate(spins: npt.NDArray[np.generic], steps: int = 1) -> npt.NDArray[np.generic]:
    """Decimate lattices.

    Args:
        spins: (n, L, L), any dtype.
        steps: number of decimations; each keeps half of the sites.
    Returns:
        (n, l, l) with l = L / 2^(steps/2) for even ``steps``, and (n, l, l/2) with
        l = L / 2^((steps-1)/2) for odd ``steps``.
    Raises:
        ValueError: the lattices are not square, or L does not allow so many steps.
    """
    if spins.ndim != 3 or spins.shape[1] != spins.shape[2]:
        raise ValueError(f"decimation takes lattices of shape (n, L, L), not {spins.shape}.")
    L = spins.shape[1]
    if not 0 <= steps <= most_steps(L):
        raise ValueError(
            f"{steps} decimation steps of a lattice with L = {L}: possible are 0 to "
            f"{most_steps(L)}, since every second step halves L."
        )
    for step in range(steps):
        if step % 2 == 0:
            even_rows, odd_rows = spins[:, 0::2, 0::2], spins[:, 1::2, 1::2]
            kept = np.stack([even_rows, odd_rows], axis=2)
            spins = kept.reshape(len(spins), spins.shape[1], -1)
        else:
            spins = spins[:, ::2]
    return np.ascontiguousarray(spins)


def decimation_matrix(L: int, step: int) -> npt.NDArray[np.float64]:
    """Decimation step ``step`` (1, 2, …) as the weights of a linear layer, y = x W.

    W[i, j] = 1 if input i is the j-th kept site, else 0. (Eq. 7 and 8 of Shukla & Thakur 2021
    print the condition on i and leave out j.)

    Args:
        L: linear size of the lattice before the first step.
        step: which step; its input are the sites that step - 1 kept.
    Returns:
        (L²/2^(step-1), L²/2^step) matrix of zeros and ones.
    Raises:
        ValueError: L does not allow so many steps.
    """
    site = np.arange(L * L).reshape(1, L, L)
    inputs = decimate(site, step - 1).ravel()
    outputs = decimate(site, step).ravel()
    return np.asarray(inputs[:, None] == outputs[None, :], dtype=np.float64)
