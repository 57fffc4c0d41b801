"""A restricted Boltzmann machine small enough that all is exact, for the Ising ring.

Visible and hidden units ±1, no biases: q(v) = Π_j 2cosh(Σ_i v_i W_ij)/Z. Hidden unit j has the bond
between spins j and j + 1, W₁ = W_jj and W₂ = W_(j+1)j. Since vv' = ±1,

    Σ_h e^(h (W₁v + W₂v')) = 2cosh(W₁v + W₂v') = 2 cosh W₁ cosh W₂ (1 + vv' tanh W₁ tanh W₂),
    e^(Kvv') = cosh K (1 + vv' tanh K),

so summing out the unit leaves a coupling K with tanh K = tanh W₁ tanh W₂ and nothing else. The
machine is the ring exactly when every unit's product is tanh K. It can be no other: on three
spins or more the v_j v_(j+1) are linearly independent functions, so that q fixes each coupling.
But q does not tell how W₁ and W₂ share a product: a valley, one-dimensional for each bond.

Of its points, W₁ = W₂ = W (or both −W) has the least W₁² + W₂²: with u = ln tanh W the sum
u₁ + u₂ is given, and W² is a convex function of u, dW²/du = W sinh 2W. There tanh² W = tanh K, or
cosh 2W = e^(2K): W = ½ arcosh e^(2K). A vanishing L2 finds it.

Nothing is sampled: Z, KL and its gradient are sums over all states, in the order of the loops.
tanh, exp and log are the C library's, which may round the last bit in another way on another
processor.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel
from coarsegrain.training.plain_adam import adam_step, half_cosine

FloatArray = npt.NDArray[np.float64]
# Largest first weight. They are not small: at W = 0 the gradient vanishes.
_START = 0.5


@dataclass(frozen=True)
class ExactSettings:
    """How a machine is trained on an exact distribution.

    Attributes:
        steps: of Adam, each with the exact gradient.
        learning_rate: of the first step; from there half a cosine down to 0.
        l2: λ of a penalty ½λ Σ W² at the first step, from there down to 0 likewise.
    """

    steps: int
    learning_rate: float
    l2: float = 0.0


def bond_mask(N: int) -> npt.NDArray[np.bool_]:
    """Which weights there are with one hidden unit per bond of a ring: (N, N), visible × hidden."""
    mask = np.eye(N, dtype=bool)
    return mask | np.roll(mask, 1, axis=0)


def kullback_leibler(
    weights: FloatArray, states: npt.NDArray[np.int8], probabilities: FloatArray
) -> float:
    """KL(p‖q) = Σ p (ln p − ln q) in nats, by enumeration.

    Args:
        weights: (N, hidden) of the machine q.
        states: (2^N, N) int8, every state once.
        probabilities: (2^N,) p of each, above 0.
    """
    kl, _ = _fit(weights, states, probabilities)
    return kl


def train_exactly(
    states: npt.NDArray[np.int8],
    probabilities: FloatArray,
    mask: npt.NDArray[np.bool_],
    settings: ExactSettings,
    *,
    rng: np.random.Generator,
) -> FloatArray:
    """Minimize KL(p‖q) by Adam with the exact gradient.

    Args:
        states: (2^N, N) int8, every state once.
        probabilities: (2^N,) p of each, above 0.
        mask: (N, hidden) which weights there are; the others stay 0.
        settings: how to train.
        rng: draws the first weights, uniform between 0 and ½.
    Returns:
        (N, hidden) weights.
    """
    weights = np.where(mask, rng.uniform(0, _START, mask.shape), 0.0)
    mean, square = np.zeros(weights.size), np.zeros(weights.size)
    for step in range(1, settings.steps + 1):
        falling = half_cosine(step, settings.steps)
        _, gradient = _fit(weights, states, probabilities)
        gradient = np.where(mask, gradient + settings.l2 * falling * weights, 0.0)
        rate = settings.learning_rate * falling
        adam_step(weights.reshape(-1), mean, square, gradient.reshape(-1), step, rate)
    return weights


def bond_weights(weights: FloatArray) -> FloatArray:
    """W₁ and W₂ of every bond's unit: (N, 2).

    Args:
        weights: (N, N), of a machine with the bond mask.
    """
    bond = np.arange(len(weights))
    return np.stack([weights[bond, bond], weights[(bond + 1) % len(weights), bond]], axis=1)


def coupling_of_weights(first: float, second: float) -> float:
    """K with tanh K = tanh W₁ tanh W₂, what a hidden unit puts between its two spins."""
    return math.atanh(math.tanh(first) * math.tanh(second))


def symmetric_weight(K: float) -> float:
    """W = ½ arcosh e^(2K), the equal weights of a unit that puts K ≥ 0 between its two spins."""
    return math.acosh(math.exp(2 * K)) / 2


def _fit(
    weights: FloatArray, states: npt.NDArray[np.int8], probabilities: FloatArray
) -> tuple[float, FloatArray]:
    """KL(p‖q) and its gradient with respect to the weights."""
    gradient = np.empty_like(weights)
    return float(_kl_and_gradient(weights, states, probabilities, gradient)), gradient


@kernel
def _kl_and_gradient(weights, states, probabilities, gradient):  # type: ignore[no-untyped-def]
    """∂KL/∂W_ij = Σ_v (q(v) − p(v)) v_i tanh θ_j(v), θ = vW.

    Args:
        weights: (N, hidden).
        states: (S, N) int8.
        probabilities: (S,).
        gradient: (N, hidden), overwritten.
    """
    number, N = states.shape
    units = weights.shape[1]
    tanh, log_q = np.empty((number, units)), np.empty(number)
    for s in range(number):
        log_q[s] = 0.0
        for j in range(units):
            field = 0.0
            for i in range(N):
                field += states[s, i] * weights[i, j]
            # ln 2cosh θ = |θ| + ln(1 + e^(−2|θ|)), tanh |θ| = (1 − e^(−2|θ|))/(1 + e^(−2|θ|))
            small = math.exp(-2.0 * abs(field))
            log_q[s] += abs(field) + math.log1p(small)
            tanh[s, j] = math.copysign((1.0 - small) / (1.0 + small), field)
    highest = log_q.max()
    z = 0.0
    for s in range(number):
        z += math.exp(log_q[s] - highest)
    log_z = highest + math.log(z)
    kl = 0.0
    gradient[:] = 0.0
    for s in range(number):
        kl += probabilities[s] * (math.log(probabilities[s]) - log_q[s] + log_z)
        excess = math.exp(log_q[s] - log_z) - probabilities[s]
        for i in range(N):
            signed = excess * states[s, i]
            for j in range(units):
                gradient[i, j] += signed * tanh[s, j]
    return kl
