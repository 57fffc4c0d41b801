"""What a claim asks of a number, and whether an interval grants it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from coarsegrain.analysis.intervals import Interval
from coarsegrain.errors import CoarsegrainError

Answer = Literal["holds", "fails", "cannot be told"]

FORMS = "above: a | below: b | between: [a, b] | within: d, of: x"
NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"
WORDS = re.compile(
    rf"above {NUMBER}|below {NUMBER}|between {NUMBER} and {NUMBER}|within {NUMBER} of {NUMBER}"
)


class ClaimError(CoarsegrainError):
    """A claim cannot be judged as it is written down."""


@dataclass(frozen=True)
class Criterion:
    """The claim holds from ``low`` to ``high``; either may be infinite.

    Attributes:
        low: smallest value.
        high: largest value.
        words: the same as the claims' file says it, e.g. ``within 0.01 of 0.347``.
    """

    low: float
    high: float
    words: str

    def answer(self, interval: Interval) -> Answer:
        """``holds`` if all of the interval is inside, ``fails`` if none is, else it cannot be told.

        An interval that ends on the edge is not inside: above 0 is not "0 or more".
        """
        _, low, high = interval
        if self.low < low and high < self.high:
            return "holds"
        if high <= self.low or low >= self.high:
            return "fails"
        return "cannot be told"


def criterion(given: Mapping[str, Any]) -> Criterion:
    """Read a criterion in one of its ``FORMS``.

    Raises:
        ClaimError: it has none of them; the sentence begins in lower case, to follow a name.
    """
    match dict(given):
        case {"above": low, **rest} if not rest and _are_numbers(low):
            return Criterion(low, math.inf, f"above {low:.10g}")
        case {"below": high, **rest} if not rest and _are_numbers(high):
            return Criterion(-math.inf, high, f"below {high:.10g}")
        case {"between": [low, high], **rest} if not rest and _are_numbers(low, high):
            if low < high:
                return Criterion(low, high, f"between {low:.10g} and {high:.10g}")
        case {"within": d, "of": x, **rest} if not rest and _are_numbers(d, x):
            if d > 0:
                return Criterion(x - d, x + d, f"within {d:.10g} of {x:.10g}")
    raise ClaimError(f"its criterion {dict(given)} is none of {FORMS}.")


def criterion_from_words(words: str) -> Criterion | None:
    """The criterion that a table names, also after a name and a colon; None if it names none."""
    found = WORDS.fullmatch(words.rpartition(": ")[2])
    if not found:
        return None
    above, below, low, high, d, x = (part and float(part) for part in found.groups())
    given: dict[str, Any] = {"above": above} if above is not None else {}
    if below is not None:
        given = {"below": below}
    elif low is not None:
        given = {"between": [low, high]}
    elif d is not None:
        given = {"within": d, "of": x}
    return criterion(given)


def _are_numbers(*values: object) -> bool:
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        for value in values
    )
