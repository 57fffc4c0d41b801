"""Training, validation and test data: one split of a set of independent lattices."""

from typing import NamedTuple


class Splits(NamedTuple):
    """Index ranges into a set, in this order: training, validation, test."""

    train: slice
    validation: slice
    test: slice


def split(number: int, *, test_fraction: float, validation_fraction: float) -> Splits:
    """Split ``number`` independent lattices; they are in no order, so ranges will do.

    The paper's 30,000 lattices at a test fraction of 0.2 and a validation fraction of 0.2 *of the
    rest* give 19,200 for training, 4,800 for validation, 6,000 for testing.
    """
    test = round(number * test_fraction)
    validation = round((number - test) * validation_fraction)
    train = number - test - validation
    return Splits(
        slice(0, train), slice(train, train + validation), slice(train + validation, number)
    )
