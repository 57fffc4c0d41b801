"""What a job will take, from what jobs of its rule took: a start, and the same time per work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy.optimize import nnls

from pipeline.estimate.records import Record
from pipeline.work import Work

# Records can be trusted for a job of up to NEAR times their largest work; for larger jobs only if
# the largest record spent MOSTLY times as long on its work as on its start.
NEAR, MOSTLY = 4.0, 3.0


@dataclass(frozen=True)
class Cost:
    """What a job takes.

    Attributes:
        seconds: by the clock, on cores of its own.
        basis: what the numbers come from.
        at_most: whether the job may end earlier.
        trusted: whether the records behind it can tell.
    """

    seconds: float
    basis: str
    at_most: bool = False
    trusted: bool = True


def predict(
    path: str | None,
    group: str,
    work: Work,
    known: Sequence[Record],
    start: Callable[[], float],
    basis: str,
) -> Cost | None:
    """What a job will take.

    It is what it took last, if it was to do the same work. Else it follows from the line of least
    relative deviation through the jobs of its group and kind, and through the start of its stage;
    where these cannot tell, through all jobs of its group.

    Args:
        path: of its benchmark file.
        group: what it is compared with (see ``group_of``).
        work: that it is.
        known: what jobs took.
        start: seconds that the start of its stage takes; asked only if it is needed.
        basis: where the records are from, in words.
    Returns:
        None if there is no record of its group.
    """
    of_group = [each for each in known if each.group == group]
    for each in of_group:
        if each.path == path and each.planned == work.amount:
            return Cost(each.seconds, "its last run")
    found = None
    for some in ([each for each in of_group if each.work.kind == work.kind], of_group):
        if some and (found is None or not found.trusted):
            found = _extrapolated(work, some, start, basis)
    return found


def _extrapolated(
    work: Work, records: Sequence[Record], start: Callable[[], float], basis: str
) -> Cost:
    amounts, seconds = [each.work.amount for each in records], [each.seconds for each in records]
    if all(each == work.amount for each in amounts):  # no start needed
        return Cost(fmean(seconds), basis, work.at_most)
    constant, slope = line(amounts, seconds, start())
    told = work.amount <= NEAR * max(amounts) or slope * max(amounts) >= MOSTLY * constant
    basis = basis if told else "records of little work"
    return Cost(constant + slope * work.amount, basis, work.at_most, told)


def line(amounts: Sequence[float], seconds: Sequence[float], start: float) -> tuple[float, float]:
    """The constant and the slope, neither negative, of the line of least relative deviation.

    One point more is at no work and ``start`` seconds.
    """
    x, y = np.array([0.0, *amounts]), np.array([start, *seconds])
    unit = x.max()
    design = np.column_stack([1 / y, x / unit / y])
    (constant, slope), _ = nnls(design, np.ones(len(y)))
    return float(constant), float(slope / unit)
