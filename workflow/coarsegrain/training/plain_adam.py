"""Adam for a few parameters in float64: one step, in place.

D. P. Kingma and J. Ba, ICLR 2015, algorithm 1 with its default decay rates and ε, as
``torch.optim.Adam`` has it; the corrections of bias are drawn out of the loop. Nets of many weights
have ``nets/training/adam.py``.
"""

import math

from coarsegrain.jit import kernel

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@kernel
def adam_step(parameters, mean, square, gradient, step, rate):  # type: ignore[no-untyped-def]
    """Change the parameters by one step.

    Args:
        parameters: (k,).
        mean: (k,) mean of the gradient so far, 0 before the first step.
        square: (k,) mean of its square.
        gradient: (k,) of the loss.
        step: 1 for the first step.
        rate: the learning rate.
    """
    root = math.sqrt(1.0 - BETA_2**step)
    a, e = rate * root / (1.0 - BETA_1**step), EPSILON * root
    for i in range(len(parameters)):
        mean[i] = BETA_1 * mean[i] + (1.0 - BETA_1) * gradient[i]
        square[i] = BETA_2 * square[i] + (1.0 - BETA_2) * (gradient[i] * gradient[i])
        parameters[i] -= a * mean[i] / (math.sqrt(square[i]) + e)


def half_cosine(step: int, steps: int) -> float:
    """A schedule from 1 at step 1 down to nearly 0 at the last: (1 + cos(π (step − 1)/steps))/2."""
    return (1 + math.cos(math.pi * (step - 1) / steps)) / 2
