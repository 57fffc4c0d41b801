"""The record of a training, and whether it shows that the machine has converged.

At the end of a training with the penalty λ Σ|w| every weight that is not 0 has
⟨v_i h_j⟩_data - ⟨v_i h_j⟩_machine = λ sign(w_ij), so with the weights and summed over them

    ⟨v W h⟩_data - ⟨v W h⟩_machine = λ Σ|w|.

The chains stand for the machine's distribution, so this is seen while it trains.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]

NUMBERS = (
    "learning_rate",
    "data_vwh",
    "data_vwh_error",
    "chain_vwh",
    "chain_vwh_error",
    "penalty",
    "zero_weights",
    "pseudo_likelihood",
    "data_neighbours",
    "chain_neighbours",
)
#: Parts of a record's updates, of whose means an error is computed.
PARTS = 10


def mean_and_error(values: FloatArray) -> tuple[float, float]:
    """Mean of successive values, and its standard error from means of parts.

    Args:
        values: (n,) as they came; up to ``PARTS`` parts of equal length, so that what is correlated
            within a part does no harm.
    """
    parts = np.array_split(values, min(PARTS, len(values)))
    means = [math.fsum(part) / len(part) for part in parts]
    mean = math.fsum(values) / len(values)
    if len(means) < 2:
        return mean, 0.0
    spread = math.fsum((each - mean) ** 2 for each in means) / (len(means) - 1)
    return mean, math.sqrt(spread / len(means))


def nearest_neighbours(spins: npt.NDArray[np.int8]) -> float:
    """Mean product of neighbouring spins of square lattices (n, L²), periodic."""
    L = math.isqrt(spins.shape[1])
    lattices = spins.reshape(len(spins), L, L)
    pairs = (lattices * (np.roll(lattices, 1, axis=1) + np.roll(lattices, 1, axis=2))).sum(
        dtype=np.int64
    )
    return float(pairs) / (2 * lattices.size)


def table(values: FloatArray, updates: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The history as a table: ``update`` and ``NUMBERS``.

    Args:
        values: (records, numbers).
        updates: (records,) made by the end of each record.
    """
    frame = pd.DataFrame(values, columns=list(NUMBERS))
    frame.insert(0, "update", updates)
    return frame


@dataclass(frozen=True)
class Convergence:
    """What the end of a training shows.

    Attributes:
        gap: ⟨v W h⟩ of the data minus that of the chains minus λ Σ|w|, in nats, in the last eighth
            of the records: over more of them noise that falls with the learning rate would stand
            against what is left to learn.
        gap_error: its standard error, from the records' own differences.
        gain: of the pseudo-likelihood from the last eighth but one to the last, in nats per unit.
        gain_error: its standard error.
        scale: ⟨v W h⟩ of the data there, in nats.
    """

    gap: float
    gap_error: float
    gain: float
    gain_error: float
    scale: float

    @property
    def shown(self) -> bool:
        """Whether both are zero within three standard errors, or too small to matter.

        Necessary for convergence, not sufficient: the gap is the gradient along the weights.
        """
        # weights that are small have small gaps
        small = min(SMALL_GAP, SMALL_SHARE * abs(self.scale))
        return abs(self.gap) <= max(3 * self.gap_error, small) and abs(self.gain) <= max(
            3 * self.gain_error, SMALL_GAIN
        )


#: Differences that do not matter: in nats of a lattice, as a share of ⟨v W h⟩, in nats of a unit.
SMALL_GAP, SMALL_SHARE, SMALL_GAIN = 0.1, 0.01, 1e-3


def convergence(history: pd.DataFrame) -> Convergence | None:
    """Whether a training has converged; None where it has fewer than 16 records."""
    eighth = len(history) // 8
    if eighth < 2:
        return None
    before, last = history.iloc[-2 * eighth : -eighth], history.iloc[-eighth:]
    gap, gap_error = _mean_and_scatter(last["data_vwh"] - last["chain_vwh"] - last["penalty"])
    early, early_error = _mean_and_scatter(before["pseudo_likelihood"])
    late, late_error = _mean_and_scatter(last["pseudo_likelihood"])
    scale = math.fsum(last["data_vwh"]) / eighth
    return Convergence(gap, gap_error, late - early, math.hypot(late_error, early_error), scale)


def _mean_and_scatter(values: pd.Series) -> tuple[float, float]:
    numbers = values.tolist()
    mean = math.fsum(numbers) / len(numbers)
    spread = math.fsum((each - mean) ** 2 for each in numbers) / (len(numbers) - 1)
    return mean, math.sqrt(spread / len(numbers))
