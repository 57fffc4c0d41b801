"""Logarithms of means of weights: their errors, and whether to believe them.

ln ⟨w⟩ of weights that spread over many orders of magnitude is decided by the largest few. Where the
sample has missed those that count, the estimate is too small and so is its error. What shows it is
the effective sample size as a share of n, (Σw)²/(n Σw²) (A. Kong 1992): 1 for equal weights, 1/n
where one weight carries all, e^(−s²) for normal ln w of variance s².

A sample that has missed the large weights also overrates that share. So the smaller of two is
taken: that of the sample, and e^(−s²) with s² the mean squared distance of ln w from its median
over the upper half, which any sample shows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: An estimate is believed if its effective sample size is at least this many weights …
FEWEST_EFFECTIVE = 40.0
#: … and this share of all of them. Of means of lognormal weights, whatever their spread, less than
#: two in a hundred are then believed and off by more than three errors (as a test shows).
SMALLEST_SHARE = 0.01


class LogMean(NamedTuple):
    """ln ⟨w⟩ in nats.

    Attributes:
        value: of the sample.
        std_error: by the spread of the weights over independent draws.
        ess: effective sample size as a share of the sample.
        n: independent draws.
    """

    value: float
    std_error: float
    ess: float
    n: int

    @property
    def believed(self) -> bool:
        """Whether value and error may be believed."""
        return self.ess >= SMALLEST_SHARE and self.ess * self.n >= FEWEST_EFFECTIVE

    def plus(self, known: float) -> "LogMean":
        """The same for weights times e^known."""
        return self._replace(value=self.value + known)


def log_mean(log_weights: Array) -> LogMean:
    """ln of the mean of independent weights.

    The error is that of the mean relative to the mean, √((⟨w²⟩/⟨w⟩² − 1)/(n − 1)).

    Args:
        log_weights: (n,), n ≥ 2.
    """
    n, top = len(log_weights), float(log_weights.max())
    weights = np.exp(log_weights - top)
    mean, square = float(weights.mean()), float((weights**2).mean())
    above = log_weights - np.median(log_weights)
    spread = float((above[above >= 0] ** 2).mean())
    return LogMean(
        value=top + float(np.log(mean)),
        std_error=float(np.sqrt(max(square / mean**2 - 1, 0.0) / (n - 1))),
        ess=min(mean**2 / square, float(np.exp(-spread))),
        n=n,
    )
