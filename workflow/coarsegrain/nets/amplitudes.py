"""How much of a hinge loss is the amplitude of outputs, and how much is lost spins.

The hinge max(0, 1 - t y) of an output y depends on |y|, which says nothing of the spin: outputs of
the same signs can have losses from twice their error rate upwards. So the loss is also told of
outputs that are clipped, scaled, or replaced by their signs. None of this changes which spins are
recovered.
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.nets.losses import hinge

FloatArray = npt.NDArray[np.floating]
Spins = npt.NDArray[np.int8]

# The best gain is found with so many outputs at most: 4,096 lattices at L = 32. It sorts them.
MOST_OUTPUTS = 2**22


def hinge_by_amplitude(y: FloatArray, t: Spins, *, gain: float) -> dict[str, float]:
    """Hinge losses of the same outputs with other amplitudes.

    - ``as it comes``: of y itself.
    - ``clipped``: of y clipped to [-1, 1].
    - ``rms 1``: of y divided by its root mean square over lattices and outputs.
    - ``best gain``: of y times ``gain``.
    - ``signs``: of sign(y), which is twice its error rate (an output of exactly 0 counts half).

    The last one is the Bayes floor of the hinge if sign(y) is the likelier spin given the code that
    y was decoded from: where that spin is wrong with probability e ≤ 1/2, an output of amplitude a
    has the mean hinge 1 - a (1 - 2e) for a ≤ 1 and e (1 + a) for a ≥ 1, at least 2e. It is then the
    smallest hinge of all decoders of that code. If sign(y) is not the likelier spin, some decoder
    has less.

    Args:
        y: (n, outputs) real.
        t: (n, outputs) target spins, ±1; 0 marks a tie.
        gain: a factor, as ``best_gain`` finds it on other lattices.
    """
    y = y.astype(np.float64)
    rms = float(np.sqrt((y**2).mean()))
    outputs = {
        "as it comes": y,
        "clipped": y.clip(-1, 1),
        "rms 1": y / (rms or 1),
        "best gain": gain * y,
        "signs": np.sign(y),
    }
    return {name: float(hinge(each, t)) for name, each in outputs.items()}


def best_gain(y: FloatArray, t: Spins) -> float:
    """The factor g ≥ 0 that minimizes the mean hinge of g y, exactly.

    Σ max(0, 1 - g m) with m = t y is convex and piecewise linear in g. Its slope is the sum of |m|
    over m < 0, less the sum of those m > 0 that are below 1/g: the minimum is at 1/g = m for the
    first m > 0, in ascending order, up to which the m add up to the former.

    Args:
        y: (n, outputs) real; of more than ``MOST_OUTPUTS`` the first lattices only.
        t: (n, outputs) target spins, ±1; 0 marks a tie.
    Returns:
        g; 0 if no g > 0 has a smaller loss than outputs of 0, and 1 if y is 0 throughout.
    """
    first = slice(max(1, MOST_OUTPUTS // y.shape[1]))
    products = (t[first] * y[first]).astype(np.float64).ravel()
    if not products.any():
        return 1.0
    wrong = -products[products < 0].sum()
    right = np.sort(products[products > 0])
    reached = int(np.searchsorted(np.cumsum(right), wrong))
    return float(1 / right[reached]) if reached < len(right) else 0.0
