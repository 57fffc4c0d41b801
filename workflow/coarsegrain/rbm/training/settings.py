"""How a machine is trained, and the learning rate of every update."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingSettings:
    """Persistent contrastive divergence with Adam and a proximal L1 penalty.

    Attributes:
        updates: of the weights.
        batch: lattices of the data per update.
        chains: Gibbs chains that stand for the machine's own distribution; they go on from update
            to update (T. Tieleman, ICML 2008).
        gibbs_steps: of every chain per update: k of PCD-k.
        learning_rate: of Adam; held for the first half of the updates, then it falls to 0 with the
            square of the updates that are left. Noise in the weights falls with it: of many weights
            it hides how far they still are from rest.
        l1: λ of the penalty λ Σ|w| that is added to -ln p(v) of a lattice, in nats.
        start: standard deviation of the weights at the start.
        adam_betas: decay rates of the means of the gradient and of its square.
        adam_epsilon: added to the root of the latter.
    """

    updates: int
    batch: int = 500
    chains: int = 500
    gibbs_steps: int = 5
    learning_rate: float = 3e-3
    l1: float = 0.0
    start: float = 0.01
    adam_betas: tuple[float, float] = (0.9, 0.999)
    adam_epsilon: float = 1e-8

    def __post_init__(self) -> None:
        """Refuse numbers that are none of a training."""
        for name in ("updates", "batch", "chains", "gibbs_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if not self.learning_rate > 0 or not self.l1 >= 0:
            raise ValueError("the learning rate must be positive, and l1 not negative.")

    def learning_rate_of(self, update: int) -> float:
        """Learning rate of an update, counted from 0: held, then falling to 0.

        The last update would have the rate 0 if there were one more of them.
        """
        left = min(1.0, 2 * (self.updates - update) / self.updates)
        return self.learning_rate * left * left
