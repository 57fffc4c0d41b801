"""The majority rule on 2 x 2 blocks (Kadanoff's block spins), in two steps of half the sites each.

A block spin is the sign of the sum of its four spins, ties broken at random. To fit nets that
shrink by two at every layer, the sum is taken in two steps: first over the two spins of a vertical
pair, then over the two pairs of a block. The sign is taken once, at the end: two successive
majorities of pairs with random ties would just pick one of the four spins at random.
"""

import numpy as np
import numpy.typing as npt


def pair_means(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Mean of every vertical pair of spins.

    Args:
        spins: (n, L, L) int8, ±1, L even.
    Returns:
        (n, L/2, L) int8, values -1, 0 (the two differ) and +1.
    Raises:
        ValueError: L is odd.
    """
    if spins.shape[1] % 2:
        raise ValueError(f"pairs of rows need an even number of rows, not {spins.shape[1]}.")
    return np.asarray((spins[:, 0::2] + spins[:, 1::2]) // 2, dtype=np.int8)


def block_spins(spins: npt.NDArray[np.int8], *, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Majority of every 2 x 2 block; a tie becomes +1 or -1 with equal probability.

    Args:
        spins: (n, L, L) int8, ±1, L even.
        rng: draws the ties.
    Returns:
        (n, L/2, L/2) int8, ±1.
    """
    pairs = pair_means(spins)
    sums = pairs[:, :, 0::2] + pairs[:, :, 1::2]
    ties = np.asarray(2 * rng.integers(0, 2, size=sums.shape, dtype=np.int8) - 1)
    return np.asarray(np.where(sums == 0, ties, np.sign(sums)), dtype=np.int8)


def majority_matrix(L: int, step: int) -> npt.NDArray[np.float64]:
    """Step 1 (pair means) or 2 (block means) as the weights of a linear layer, y = x W.

    Each output is the mean of two inputs: two weights of ½ in each column. A linear layer cannot
    take the sign, so the output of step 2 is the block's mean.

    Returns:
        (L², L²/2) for step 1, (L²/2, L²/4) for step 2.
    Raises:
        ValueError: L is odd or ``step`` is neither 1 nor 2.
    """
    if L % 2 or step not in (1, 2):
        raise ValueError(
            f"the majority rule has steps 1 and 2 on even L, not step {step}, L = {L}."
        )
    if step == 1:
        row, col = np.divmod(np.arange(L * L), L)
        output = (row // 2) * L + col
    else:
        row, col = np.divmod(np.arange(L * L // 2), L)
        output = row * (L // 2) + col // 2
    weights = np.zeros((len(output), len(output) // 2))
    weights[np.arange(len(output)), output] = 0.5
    return weights
