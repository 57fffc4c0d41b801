"""Hybrid Monte Carlo of many chains side by side.

S. Duane, A. Kennedy, B. Pendleton and D. Roweth, Phys. Lett. B 195, 216 (1987). For the density
exp(−U(x))/Z a trajectory draws momenta p, normal and independent, follows Hamilton's equations of
H = U(x) + p²/2 by leapfrog steps

    p ← p − ε/2 ∇U(x),   x ← x + ε p,   p ← p − ε/2 ∇U(x),

which preserve volume and can be reversed, and is accepted with the probability min(1, e^(−ΔH)).

Every trajectory of every chain has a step size of its own, within ±20 % of the common one: a
harmonic direction whose half period is the length of all trajectories would not be mixed, however
many are accepted. The common one is tuned while chains burn in, and then fixed.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: U, (n,), and its gradient, (n, d), from positions (n, d).
Energy = Callable[[Array], tuple[Array, Array]]

#: A step size is within this share of the common one.
JITTER = 0.2
#: What tuning aims at: about the cheapest (A. Beskos et al., Bernoulli 19, 1501 (2013)).
ACCEPTANCE = 0.8


class Point(NamedTuple):
    """Where chains are.

    Attributes:
        position: (n, d).
        energy: (n,) U.
        gradient: (n, d) of U.
    """

    position: Array
    energy: Array
    gradient: Array


class Moved(NamedTuple):
    """Chains after a trajectory.

    Attributes:
        at: where they are then.
        accepted: (n,) whether that is the trajectory's end.
        rise: (n,) ΔH along it; ⟨e^(−ΔH)⟩ = 1 in equilibrium.
    """

    at: Point
    accepted: npt.NDArray[np.bool_]
    rise: Array


class Chains(NamedTuple):
    """What was seen of chains after they burnt in.

    Attributes:
        observed: (trajectories, n), one number after every trajectory.
        acceptance: (n,) share of accepted trajectories.
        rise: (trajectories, n) ΔH.
        step_size: the common one.
    """

    observed: Array
    acceptance: Array
    rise: Array
    step_size: float


def trajectory(
    energy: Energy, at: Point, step_size: float, leapfrogs: int, *, rng: np.random.Generator
) -> Moved:
    """Move all chains by one trajectory: ``leapfrogs`` evaluations of the energy.

    Args:
        energy: U and its gradient.
        at: where the chains are.
        step_size: ε, the common one.
        leapfrogs: steps of a trajectory.
        rng: generator of momenta, step sizes and acceptances.
    """
    n, d = at.position.shape
    momentum = rng.standard_normal((n, d))
    step = step_size * (1 + JITTER * (2 * rng.random((n, 1)) - 1))
    before = at.energy + (momentum**2).sum(axis=1) / 2
    x, gradient, end = at.position, at.gradient, at.energy
    for _ in range(leapfrogs):
        momentum = momentum - step / 2 * gradient
        x = x + step * momentum
        end, gradient = energy(x)
        momentum = momentum - step / 2 * gradient
    rise = end + (momentum**2).sum(axis=1) / 2 - before
    rise = np.where(np.isfinite(rise), rise, np.inf)  # a step too large may end anywhere
    accepted = rng.random(n) < np.exp(-np.maximum(rise, 0))
    which = accepted[:, None]
    moved = Point(
        np.where(which, x, at.position),
        np.where(accepted, end, at.energy),
        np.where(which, gradient, at.gradient),
    )
    return Moved(moved, accepted, rise)


def run_chains(
    energy: Energy,
    start: Array,
    observe: Callable[[Array], Array],
    *,
    trajectories: int,
    burn_in: int,
    leapfrogs: int,
    step_size: float,
    rng: np.random.Generator,
) -> Chains:
    """Let chains burn in while the step size is tuned, and observe them.

    After every trajectory of the burn-in the step size is multiplied by e^(a − 0.8), a the mean
    over all chains of min(1, e^(−ΔH)).

    Args:
        energy: U and its gradient.
        start: (n, d).
        observe: one number of every position (n, d): (n,).
        trajectories: that are observed.
        burn_in: trajectories before.
        leapfrogs: steps of a trajectory.
        step_size: ε at the start.
        rng: generator of all that is random.
    """
    at = Point(start, *energy(start))
    for _ in range(burn_in):
        moved = trajectory(energy, at, step_size, leapfrogs, rng=rng)
        at = moved.at
        step_size *= math.exp(np.exp(-np.maximum(moved.rise, 0)).mean() - ACCEPTANCE)
    observed, rise = np.empty((2, trajectories, len(start)))
    accepted = np.zeros(len(start))
    for k in range(trajectories):
        moved = trajectory(energy, at, step_size, leapfrogs, rng=rng)
        at = moved.at
        observed[k], rise[k] = observe(at.position), moved.rise
        accepted += moved.accepted
    return Chains(observed, accepted / trajectories, rise, step_size)
