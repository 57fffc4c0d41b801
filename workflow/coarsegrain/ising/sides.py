"""The lattices that the sampler can do."""

MIN_SIDE = 4
#: The index of a word must fit in 24 bits of the random numbers' counter.
MAX_SIDE = 4096


def check_side(L: int) -> None:
    """Raise ValueError unless the sampler can do L × L lattices."""
    if L % 2 or not MIN_SIDE <= L <= MAX_SIDE:
        raise ValueError(f"L is {L}; it must be an even integer from {MIN_SIDE} to {MAX_SIDE}.")
