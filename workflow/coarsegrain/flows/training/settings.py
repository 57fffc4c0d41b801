"""How flows are trained."""

from dataclasses import dataclass

#: Parts of a training after which the batch doubles.
DOUBLINGS = (0.5, 0.75)


@dataclass(frozen=True)
class TrainingSettings:
    """How a flow is trained.

    Attributes:
        steps: of Adam.
        batch: fresh samples per step in the first half; twice as many in the third quarter, four
            times in the last, where the gradient's noise is what is left. A multiple of 32.
        learning_rate: Adam's, after ``warm_up``; from there on it falls like (1 − x²)², x the part
            of the steps that is done.
        warm_up: steps in which the learning rate rises from 0.
        largest_gradient: longer ones are shortened to that.
        constant: whether batch and learning rate stay as they are from the first step to the last.
    Raises:
        ValueError: a number is out of range.
    """

    steps: int
    batch: int = 128
    learning_rate: float = 1.5e-2
    warm_up: int = 100
    largest_gradient: float = 50.0
    constant: bool = False

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.steps < 1:
            raise ValueError(f"steps is {self.steps}; it must be at least 1.")
        if self.batch < 32 or self.batch % 32:
            raise ValueError(f"batch is {self.batch}; it must be a multiple of 32.")

    def batch_of(self, step: int) -> int:
        """Samples of a step, counted from 0."""
        if self.constant:
            return self.batch
        return self.batch << sum(step >= part * self.steps for part in DOUBLINGS)

    def learning_rate_of(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if self.constant:
            return self.learning_rate
        x = step / self.steps
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * (1 - x * x) ** 2
