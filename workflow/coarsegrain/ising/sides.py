"""The lattices that the sampler can do, and whole numbers that functions of them are given."""

import operator
from typing import Any

MIN_SIDE = 4
#: The index of a word must fit in 24 bits of the random numbers' counter.
MAX_SIDE = 4096


def check_side(L: Any) -> None:
    """Raise ValueError unless the sampler can do L × L lattices."""
    if whole_number("L", L) % 2 or not MIN_SIDE <= L <= MAX_SIDE:
        raise ValueError(f"L is {L}; it must be an even integer from {MIN_SIDE} to {MAX_SIDE}.")


def whole_number(name: str, value: Any) -> int:
    """An integer of any kind as an int.

    Raises:
        ValueError: it is none; the sentence has its name.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}; it must be an integer.") from None
