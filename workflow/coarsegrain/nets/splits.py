"""Training, validation and test data: splits of sets of independent lattices."""

from typing import NamedTuple


class Splits(NamedTuple):
    """Index ranges into a net's own lattices, in this order: training, validation."""

    train: slice
    validation: slice


def number_for_testing(number: int, test_fraction: float) -> int:
    """How many of ``number`` lattices are for testing: a set of its own, common to all nets."""
    return round(number * test_fraction)


def split(number: int, *, validation_fraction: float) -> Splits:
    """Split the ``number`` lattices that are not for testing; they are in no order.

    Of the paper's 30,000 lattices a test fraction of 0.2 leaves 24,000; at a validation fraction of
    0.2 *of these* 19,200 are for training and 4,800 for validation.
    """
    train = number - round(number * validation_fraction)
    return Splits(slice(0, train), slice(train, number))
