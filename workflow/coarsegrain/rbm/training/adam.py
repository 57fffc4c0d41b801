"""Adam with a proximal L1 penalty, which makes weights exactly 0.

D. P. Kingma and J. Ba, ICLR 2015, algorithm 1, for the gradient g of -ln p without the penalty:

    m ← β₁ m + (1-β₁) g,   v ← β₂ v + (1-β₂) g²,   s = η/(√(v/(1-β₂ᵗ)) + ε)
    w ← S(w - s m/(1-β₁ᵗ), s λ),   S(w, τ) = sign(w) max(|w| - τ, 0)

Every weight's penalty has the step size s of its own, as its gradient has: the fixed point is that
of -ln p + λ Σ|w| (J. Yun, A. Lozano & E. Yang, NeurIPS 2021, "Adaptive proximal gradient
methods"). With c = √(1-β₂ᵗ) drawn out of the root: s = η c/(√v + ε c).
"""

import math
from typing import NamedTuple

import numpy as np

from coarsegrain.rbm.training.settings import TrainingSettings

F32 = np.float32


class AdamStep(NamedTuple):
    """The numbers of one step, in float32.

    Attributes:
        beta1: β₁.
        rest1: 1 - β₁.
        beta2: β₂.
        rest2: 1 - β₂.
        rate: η √(1 - β₂ᵗ).
        epsilon: ε √(1 - β₂ᵗ).
        correction: 1/(1 - β₁ᵗ).
        l1: λ.
        tiny: the smallest normal number: a moment below it becomes 0.
    """

    beta1: np.float32
    rest1: np.float32
    beta2: np.float32
    rest2: np.float32
    rate: np.float32
    epsilon: np.float32
    correction: np.float32
    l1: np.float32
    tiny: np.float32


def adam_step(settings: TrainingSettings, update: int) -> AdamStep:
    """The numbers of an update, counted from 0."""
    beta1, beta2 = settings.adam_betas
    # powers by repeated multiplication in Python's floats: libm's pow differs between processors
    root = math.sqrt(1 - _power(beta2, update + 1))
    return AdamStep(
        F32(beta1),
        F32(1 - beta1),
        F32(beta2),
        F32(1 - beta2),
        F32(settings.learning_rate_of(update) * root),
        F32(settings.adam_epsilon * root),
        F32(1 / (1 - _power(beta1, update + 1))),
        F32(settings.l1),
        F32(np.finfo(F32).tiny),
    )


def _power(base: float, exponent: int) -> float:
    """baseⁿ by squaring."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result
