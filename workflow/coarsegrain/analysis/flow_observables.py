"""What the samples of a normalizing flow say of the Ising model, and whether the flow collapsed.

Spins are independent given the fields x, with the means tanh x_i, so that

    energy per site   −Σ_<ij> tanh x_i tanh x_j/N
    ⟨m²⟩              ``dual.magnetization_squared``

need no spins; ⟨|m|⟩ and the second-moment correlation length (``distant_thermometer``) are those of
spins drawn once for each sample. Every observable is taken over samples of the flow q as they are,
over the same with the weights p/q, and over exact samples of p. The weighted mean is right for any
q that covers p; its error, √Σw²(f − f̄)²/Σw, is too small where the largest weights are missed.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.distant_thermometer import correlation_length, long_waves
from coarsegrain.analysis.flow_gap import FlowGap, pieces
from coarsegrain.ising.dual import DualIsing, Fields, magnetization_squared
from coarsegrain.ising.exact import energy_per_site as exact_energy

Array = npt.NDArray[np.float64]

#: A flow has collapsed if its ⟨m²⟩ is off by more than this share of the exact one …
MOST_OFF = 0.1
_PERCENT = f"{100 * MOST_OFF:g} %"
#: … or its forward KL is more than so many times the gap.
MOST_TIMES = 10.0
# Either by more than so many standard errors: noise of few samples is no collapse.
_SIGMAS = 2.0


class Observable(NamedTuple):
    """One observable of the spins, with standard errors.

    Attributes:
        name: energy, magnetization_squared, abs_magnetization (per site) or correlation_length (in
            lattice spacings).
        flow: its mean over samples of the flow.
        flow_error: the standard error.
        weighted: the same with the weights p/q.
        weighted_error: the standard error.
        sampled: over exact samples of p.
        sampled_error: the standard error.
        exact: the exact value; NaN where none is known.
    """

    name: str
    flow: float
    flow_error: float
    weighted: float
    weighted_error: float
    sampled: float
    sampled_error: float
    exact: float


class Collapse(NamedTuple):
    """Whether a flow has collapsed.

    Attributes:
        collapsed: the word.
        why: the sentence.
    """

    collapsed: bool
    why: str


class _PerSample(NamedTuple):
    """(n,) numbers of every sample; M² and |F|² as in ``distant_thermometer.long_waves``."""

    energy: Array
    squared: Array
    uniform: Array
    wave: Array


def observables(
    dual: DualIsing, of_q: Fields, log_weights: Array, of_p: Fields, *, rng: np.random.Generator
) -> list[Observable]:
    """Measure all observables.

    Args:
        dual: p.
        of_q: (n, L, L) independent samples of the flow.
        log_weights: (n,) their ln p/q, up to a constant (``flow_gap.log_weights``).
        of_p: (m, L, L) independent exact samples.
        rng: generator of the spins.
    """
    weights = np.exp(log_weights - log_weights.max())
    flow, sampled = _per_sample(dual, of_q, rng), _per_sample(dual, of_p, rng)
    plain = _measured(flow, np.ones(len(of_q)), dual.L)
    weighted = _measured(flow, weights, dual.L)
    exact_samples = _measured(sampled, np.ones(len(of_p)), dual.L)
    known = {"energy": exact_energy(dual.beta, dual.L)}
    return [
        Observable(
            name, *plain[name], *weighted[name], *exact_samples[name], known.get(name, math.nan)
        )
        for name in plain
    ]


def collapse(gap: FlowGap, squared_magnetization: Observable) -> Collapse:
    """Judge a flow by ⟨m²⟩ of its samples and by its forward KL.

    Args:
        gap: its divergences.
        squared_magnetization: the observable of that name.
    """
    m2 = squared_magnetization
    off, off_error = m2.flow - m2.sampled, math.hypot(m2.flow_error, m2.sampled_error)
    if abs(off) - _SIGMAS * off_error > MOST_OFF * m2.sampled:
        return Collapse(
            True,
            f"⟨m²⟩ is {m2.flow:.4f} ± {m2.flow_error:.4f} where exact samples have "
            f"{m2.sampled:.4f} ± {m2.sampled_error:.4f}: off by more than {_PERCENT}.",
        )
    beyond = gap.forward - MOST_TIMES * gap.gap
    if beyond > _SIGMAS * math.hypot(gap.forward_error, MOST_TIMES * gap.gap_error):
        return Collapse(
            True,
            f"The forward KL is {gap.forward:.3g} nats, more than {MOST_TIMES:g} times the gap of "
            f"{gap.gap:.3g}.",
        )
    return Collapse(
        False,
        f"⟨m²⟩ is within {_PERCENT} of that of exact samples, the forward KL within "
        f"{MOST_TIMES:g} times the gap.",
    )


def energy_per_site(fields: Fields) -> Array:
    """−Σ_<ij> tanh x_i tanh x_j/N, (n,): the mean energy of the spins given the fields."""
    means = np.tanh(np.asarray(fields, dtype=np.float64))
    neighbours = np.roll(means, 1, axis=1) + np.roll(means, 1, axis=2)
    return -np.asarray((means * neighbours).mean(axis=(1, 2)))


def _per_sample(dual: DualIsing, fields: Fields, rng: np.random.Generator) -> _PerSample:
    found = [
        (
            energy_per_site(piece),
            magnetization_squared(piece),
            *long_waves(dual.draw_spins(piece, rng)),
        )
        for piece in pieces(fields)
    ]
    return _PerSample(*(np.concatenate(each) for each in zip(*found)))


def _measured(of: _PerSample, weights: Array, L: int) -> dict[str, tuple[float, float]]:
    """Every observable and its standard error, under weights."""
    return {
        "energy": _mean(of.energy, weights),
        "magnetization_squared": _mean(of.squared, weights),
        "abs_magnetization": _mean(np.sqrt(of.uniform) / L**2, weights),
        "correlation_length": _length(of.uniform, of.wave, weights, L),
    }


def _mean(values: Array, weights: Array) -> tuple[float, float]:
    """Σwf/Σw and √(n/(n−1) Σw²(f − f̄)²)/Σw: without weights, that of the mean."""
    n, total = len(values), float(weights.sum())
    mean = float(weights @ values) / total
    spread = float(weights**2 @ (values - mean) ** 2)
    return mean, math.sqrt(n / (n - 1) * spread) / total


def _length(uniform: Array, wave: Array, weights: Array, L: int) -> tuple[float, float]:
    """ξ = √(e^y − 1)/(2 sin π/L), y = ln ⟨M²⟩/⟨|F|²⟩, and √(e^y − 1) dξ/dy = ½ e^y/(2 sin π/L)."""
    by_uniform, by_wave = (float(weights @ each) for each in (uniform, wave))
    if not (by_uniform > 0 and by_wave > 0):
        return math.nan, math.nan
    y = math.log(by_uniform / by_wave)
    # of y, what each sample adds to Σw times the error
    relative = (uniform / by_uniform - wave / by_wave) * weights.sum()
    _, error = _mean(relative, weights)
    length = correlation_length(y, L)
    if not length > 0:
        return length, math.nan
    return length, error * math.exp(y) / (2 * length * (2 * math.sin(math.pi / L)) ** 2)
