"""Losses of the nets. They take numpy arrays and torch tensors alike.

Outputs ``y`` are real, targets ``t`` are ±1 (0 marks a tied pair of the majority rule: it adds a
constant to the hinge loss and no gradient).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt


def hinge(y: Any, t: Any) -> Any:
    """Mean over lattices and outputs of max(0, 1 - t y); Shukla & Thakur 2021, II.F."""
    return (1 - t * y).clip(min=0).mean()


def squared_hinge(y: Any, t: Any) -> Any:
    """Mean over lattices and outputs of max(0, 1 - t y)²."""
    return ((1 - t * y).clip(min=0) ** 2).mean()


def mean_squared_error(y: Any, t: Any) -> Any:
    """Mean over samples and outputs of (y - t)²."""
    return ((y - t) ** 2).mean()


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "mse": mean_squared_error,
}


def spin_accuracy(y: npt.NDArray[np.floating], t: npt.NDArray[np.int8]) -> float:
    """Share of the target spins that sign(y) recovers; tied targets (0) do not count.

    Args:
        y: outputs, any shape.
        t: target spins of the same shape, ±1 or 0.
    """
    decided = t != 0
    return float(((np.sign(y) == t) & decided).sum() / decided.sum())
