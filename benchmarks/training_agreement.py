"""Whether a peer makes the same steps as ours: from the same start, with the same batches.

Weights are compared with ours in float32 and in float64, and the closer of the two counts. Where
an output is at a kink of the loss to within rounding, one number's last bit decides on the slope,
and all weights behind it go other ways from there on. That is no mistake of either code, but it is
why the comparison is short: after 20 steps of 100 lattices 81 % of Model-1's weights were off
torch's on a processor with AVX-512, and none with AVX2, for which torch rounds otherwise. A wrong
ε, a missing penalty or another mean put most weights off.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.training.batches import epoch_order
from training_peers import Keras, Peer
from training_problems import Problem

#: What a weight may be off, and how many of them may be off by more.
TOLERANCE = 1e-5
SHARE_OFF = 0.01
STEPS = 5
#: Keras adds ε to the uncorrected √v, so both are compared at an ε that plays no part. Rounding
#: then weighs more where gradients vanish, and Keras rounds its step sizes: fewer steps.
KERAS_STEPS = 3
KERAS_EPSILON = 1e-12


@dataclass(frozen=True)
class Agreement:
    """The outcome: steps made, share of weights off by more than ``TOLERANCE``, largest."""

    steps: int
    share_off: float
    largest: float

    @property
    def holds(self) -> bool:
        """Whether it is the same training."""
        return self.share_off <= SHARE_OFF

    def __str__(self) -> str:
        """For the table."""
        return f"{100 * self.share_off:.2g} % ({self.largest:.0e})"


def agreement(problem: Problem, peer: Peer) -> Agreement:
    """Train ours and a peer that has made no step yet, and compare.

    Args:
        problem: what ours trains.
        peer: of ``problem.for_peers()``; it goes on from where this leaves it.
    """
    return _compare(problem, peer, STEPS)


def keras_agreement(problem: Problem) -> Agreement:
    """The same for Keras, at an ε at which its convention and torch's agree."""
    alike = problem.with_epsilon(KERAS_EPSILON)
    return _compare(alike, Keras(alike.for_peers()), KERAS_STEPS)


def _compare(problem: Problem, peer: Peer, steps: int) -> Agreement:
    number = steps * problem.settings.batch_size
    order = epoch_order(problem.member.seed, 1, number)
    peer.train(order)
    theirs = _flat(peer.weights())
    found = []
    for precision in ("float32", "float64"):
        trainer = problem.of_first(number).trainer(precision)
        trainer.run_epoch(order, 0)
        off = np.abs(theirs - _flat([layer.weight for layer in trainer.layers()]))
        # Written so that a weight that is not a number is off.
        share = 1 - float((off <= TOLERANCE).mean())
        found.append(Agreement(steps, share, float(off.max())))
    return min(found, key=lambda each: each.share_off)


def _flat(weights: list[npt.NDArray[np.floating]]) -> npt.NDArray[np.float64]:
    return np.concatenate([each.ravel().astype(np.float64) for each in weights])
