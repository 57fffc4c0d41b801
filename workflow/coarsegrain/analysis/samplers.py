"""What an independent sample costs, by whatever sampler: ⟨m²⟩, and how often it has to be computed.

All are counted in evaluations: passes over all sites of one lattice. A leapfrog step is one, of the
energy and its gradient; a proposal is one, of the flow; a step of the lattice's own chain is two, a
cluster and a sweep. What an evaluation takes in seconds differs widely between them, and between
computers: it is not counted here.

Two values that are 2 τ steps apart count as independent, τ = ½ + Σρ of m² (``autocorrelation``).
The error of ⟨m²⟩ is from the spread of independent chains, and does not rest on τ.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.autocorrelation import autocorrelation_time
from coarsegrain.analysis.statistics import standard_error
from coarsegrain.rbm.estimate import log_mean

Array = npt.NDArray[np.float64]


class Sampler(NamedTuple):
    """One sampler; NaN: it has no such number, or chains are too short to tell.

    Attributes:
        method: its name.
        m2: ⟨m²⟩.
        m2_error: standard error.
        acceptance: share of accepted steps.
        tau_int_half_plus_sum: τ of m², in steps.
        tau_int_error: standard error.
        evaluations_per_step: see the module.
        evaluations_per_independent: 2 τ steps' worth.
        evaluations_error: standard error.
        step_size: of leapfrog steps.
        chains: side by side.
        steps: of each, without the burn-in.
    """

    method: str
    m2: float
    m2_error: float
    acceptance: float
    tau_int_half_plus_sum: float
    tau_int_error: float
    evaluations_per_step: int
    evaluations_per_independent: float
    evaluations_error: float
    step_size: float
    chains: int
    steps: int


def of_chains(
    method: str,
    observed: Array,
    *,
    acceptance: float,
    evaluations: int,
    step_size: float = math.nan,
) -> Sampler:
    """A sampler of Markov chains.

    Args:
        method: its name.
        observed: (steps, chains) m² after every step, without the burn-in.
        acceptance: share of accepted steps.
        evaluations: per step.
        step_size: of leapfrog steps.
    """
    steps, chains = observed.shape
    tau = autocorrelation_time(observed)
    return Sampler(
        method=method,
        m2=float(observed.mean()),
        m2_error=float(standard_error(observed.mean(axis=0))),
        acceptance=acceptance,
        tau_int_half_plus_sum=tau.value,
        tau_int_error=tau.error,
        evaluations_per_step=evaluations,
        evaluations_per_independent=2 * tau.value * evaluations,
        evaluations_error=2 * tau.error * evaluations,
        step_size=step_size,
        chains=chains,
        steps=steps,
    )


def of_weighted_samples(method: str, observed: Array, log_weights: Array) -> Sampler:
    """Independent samples of q with the weights p/q, one evaluation each.

    Of n samples ⟨w⟩²/⟨w²⟩ n count as independent ones of p: too many, if q leaves out parts of p.

    Args:
        method: its name.
        observed: (n,) m².
        log_weights: (n,) ln p/q up to a constant.
    """
    weights = np.exp(log_weights - log_weights.max())
    mean = float(weights @ observed / weights.sum())
    spread = float(weights**2 @ (observed - mean) ** 2)
    return Sampler(
        method=method,
        m2=mean,
        m2_error=math.sqrt(spread) / float(weights.sum()),
        acceptance=math.nan,
        tau_int_half_plus_sum=math.nan,
        tau_int_error=math.nan,
        evaluations_per_step=1,
        evaluations_per_independent=1 / log_mean(log_weights).ess,
        evaluations_error=math.nan,
        step_size=math.nan,
        chains=len(observed),
        steps=1,
    )


def of_independent_samples(method: str, observed: Array, *, evaluations: int) -> Sampler:
    """Samples that are independent: τ is ½.

    Args:
        method: its name.
        observed: (n,) m².
        evaluations: per sample.
    """
    return Sampler(
        method=method,
        m2=float(observed.mean()),
        m2_error=float(standard_error(observed)),
        acceptance=1.0,
        tau_int_half_plus_sum=0.5,
        tau_int_error=0.0,
        evaluations_per_step=evaluations,
        evaluations_per_independent=float(evaluations),
        evaluations_error=0.0,
        step_size=math.nan,
        chains=len(observed),
        steps=1,
    )
