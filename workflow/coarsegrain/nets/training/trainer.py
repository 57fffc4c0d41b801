"""What trains: between the loop over epochs and the code for one kind of net and device."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.network import Layer

FloatArray = npt.NDArray[np.floating]
Order = npt.NDArray[np.int64]

#: Lattices of the validation data that pass through a net at once: bounds the memory.
EVALUATION_BATCH = 2048


class MemberTrainer(Protocol):
    """Weights, moments and data of one member."""

    def run_epoch(self, order: Order, step: int) -> tuple[float, float]:
        """Train for an epoch.

        Args:
            order: (n,) a permutation of the training lattices, cut into batches.
            step: number of steps made before.
        Returns:
            Hinge and loss: each lattice's in its own step, averaged over the epoch.
        """

    def evaluate(self) -> tuple[float, float]:
        """Hinge and loss on the validation data."""

    def penalty(self) -> float:
        """λ Σ|w| over the trained weights."""

    def layers(self) -> tuple[Layer, ...]:
        """The trained layers as they are now."""

    def state(self) -> dict[str, FloatArray]:
        """Everything that decides the next steps: ``weight.<k>``, ``mean.<k>``, ``square.<k>``."""

    def restore(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take over what ``state`` gave.

        Raises:
            KeyError, ValueError: these are not tensors of this net.
        """


class Trainer(Protocol):
    """The same for several members of a net, which may train side by side."""

    def run_epoch(self, orders: Sequence[Order], steps: Sequence[int]) -> FloatArray:
        """Train every member for an epoch of its own: (members, 2) hinge and loss."""

    def evaluate(self) -> FloatArray:
        """(members, 2) hinge and loss on the members' validation data."""

    def penalties(self) -> FloatArray:
        """(members,) λ Σ|w|."""

    def layers(self, k: int) -> tuple[Layer, ...]:
        """The trained layers of member ``k``."""

    def state(self, k: int) -> dict[str, FloatArray]:
        """The state of member ``k``."""

    def restore(self, k: int, tensors: Mapping[str, FloatArray]) -> None:
        """Take over a state of member ``k``."""

    def keep(self, members: Sequence[int]) -> None:
        """Go on with these members only; they are numbered anew, in this order."""


class OneByOne:
    """Members that share nothing: a ``Trainer`` of ``MemberTrainer``s."""

    def __init__(self, members: Sequence[MemberTrainer]) -> None:
        self._members = list(members)

    def run_epoch(self, orders: Sequence[Order], steps: Sequence[int]) -> FloatArray:
        """Train one member after the other: (members, 2) hinge and loss."""
        return np.array(
            [each.run_epoch(order, step) for each, order, step in zip(self._members, orders, steps)]
        )

    def evaluate(self) -> FloatArray:
        """(members, 2) hinge and loss on the members' validation data."""
        return np.array([each.evaluate() for each in self._members])

    def penalties(self) -> FloatArray:
        """(members,) λ Σ|w|."""
        return np.array([each.penalty() for each in self._members])

    def layers(self, k: int) -> tuple[Layer, ...]:
        """The trained layers of member ``k``."""
        return self._members[k].layers()

    def state(self, k: int) -> dict[str, FloatArray]:
        """The state of member ``k``."""
        return self._members[k].state()

    def restore(self, k: int, tensors: Mapping[str, FloatArray]) -> None:
        """Take over a state of member ``k``."""
        self._members[k].restore(tensors)

    def keep(self, members: Sequence[int]) -> None:
        """Go on with these members only; they are numbered anew, in this order."""
        self._members = [self._members[k] for k in members]
