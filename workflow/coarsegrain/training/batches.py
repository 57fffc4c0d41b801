"""Which lattices make up the batches of an epoch."""

import numpy as np
import numpy.typing as npt


def epoch_order(seed: int, epoch: int, number: int) -> npt.NDArray[np.int64]:
    """The order in which an epoch goes through the training lattices.

    A function of seed and epoch alone, so that a training can go on after any epoch, and the same
    on every device. Batch b of the epoch is ``order[b * batch_size : (b + 1) * batch_size]``.

    Args:
        seed: of the member's shuffling.
        epoch: counted from 1.
        number: training lattices.
    Returns:
        (number,) a permutation.
    """
    return np.random.default_rng((seed, epoch)).permutation(number)
