"""Adam with an L1 penalty: the update of one step, in one pass over the weights.

D. P. Kingma and J. Ba, ICLR 2015, algorithm 1, in the form of ``torch.optim.Adam``: ε is added to
the bias-corrected √v. With the corrections drawn out of the loop over weights,

    w -= a m / (√v + e),   a = lr √(1 - β₂ᵗ) / (1 - β₁ᵗ),   e = ε √(1 - β₂ᵗ).

The penalty λ|w| adds λ sign(w) to the gradient, with sign(0) = 0 as in torch.

Where a gradient stays 0 (λ = 0 and nothing left to learn), m and v decay until they are too small
for a normal floating-point number, and there they stay: 0.999 of the smallest ones is rounded back.
Processors are slow with such numbers, some a hundredfold, so they become 0: beside ε they are
nothing.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.nets.training.settings import TrainingSettings


class AdamConstants(NamedTuple):
    """The numbers of Adam and of the penalty that all steps share, in the weights' precision.

    Attributes:
        beta1: decay rate of the mean of the gradient.
        one_minus_beta1: 1 - β₁, rounded once.
        beta2: decay rate of the mean of its square.
        one_minus_beta2: 1 - β₂, rounded once.
        l1: λ of the penalty.
        tiny: smallest normal number: a moment below it becomes 0.
    """

    beta1: np.floating
    one_minus_beta1: np.floating
    beta2: np.floating
    one_minus_beta2: np.floating
    l1: np.floating
    tiny: np.floating


def adam_constants(settings: TrainingSettings, dtype: npt.DTypeLike) -> AdamConstants:
    """The constants of these settings, in the precision ``dtype``."""
    beta1, beta2 = settings.adam_betas
    tiny = np.finfo(dtype).tiny
    values = [beta1, 1 - beta1, beta2, 1 - beta2, settings.l1, tiny]
    return AdamConstants(*np.array(values, dtype=dtype))


def step_sizes(
    settings: TrainingSettings, first: int, number: int, dtype: npt.DTypeLike
) -> npt.NDArray[np.floating]:
    """The numbers a and e of the steps ``first + 1`` … ``first + number``: (number, 2)."""
    (beta1, beta2), t = settings.adam_betas, np.arange(first + 1, first + number + 1)
    root = np.sqrt(1 - beta2**t)
    a, e = settings.learning_rate * root / (1 - beta1**t), settings.adam_epsilon * root
    return np.stack([a, e], axis=1).astype(dtype)


@kernel
def adam_update(w, m, v, gradient, step_size, constants):  # type: ignore[no-untyped-def]
    """One step for all weights of a layer, in place.

    Args:
        w: (n,) weights.
        m: (n,) Adam's mean of the gradient.
        v: (n,) Adam's mean of its square.
        gradient: (n,) of the loss; the penalty's is added here.
        step_size: (2,) a and e of the step.
        constants: the numbers that all steps share.
    """
    a, e, l1 = step_size[0], step_size[1], constants.l1
    zero = w.dtype.type(0)
    for i in range(w.size):
        sign = l1 if w[i] > zero else (-l1 if w[i] < zero else zero)
        g = gradient[i] + sign
        mean = constants.beta1 * m[i] + constants.one_minus_beta1 * g
        square = constants.beta2 * v[i] + constants.one_minus_beta2 * (g * g)
        m[i] = zero if abs(mean) < constants.tiny else mean
        v[i] = zero if square < constants.tiny else square
        w[i] -= a * m[i] / (np.sqrt(v[i]) + e)
