"""How far a Boltzmann machine is from the Ising model it was trained on, in nats.

    KL(p‖q) = ⟨ln p − ln q⟩_p = −S − ⟨ln q*⟩_p + ln Z_q

p is the Ising model: its ln Z and entropy S are exact (Kaufman 1949). q is the machine, whose
ln q*(v) is known and whose ln Z_q is estimated, in up to four ways that err differently:

- ``exact``: the sum over all states, for small machines;
- ``ais``: annealed importance sampling from independent units, which needs no data;
- ``bar``: Bennett's acceptance ratio between p and q, from lattices and from Gibbs chains of q;
- ``data``: ln Z_q = ln Z_p + ln ⟨q*/p*⟩_p, from the lattices alone.

The last two compare with p itself and so are best where q is close to p; all say whether they are
to be believed.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.exact import energy_per_site as exact_energy
from coarsegrain.ising.exact import entropy as ising_entropy
from coarsegrain.ising.exact import log_partition_function
from coarsegrain.ising.observables import Spins, energy_per_site
from coarsegrain.rbm import enumeration
from coarsegrain.rbm.ais import annealed_importance_sampling
from coarsegrain.rbm.bar import bennett_ratio
from coarsegrain.rbm.chains import gibbs_chains
from coarsegrain.rbm.estimate import log_mean
from coarsegrain.rbm.machine import Machine, log_weight

Array = npt.NDArray[np.float64]


class Effort(NamedTuple):
    """How much work the estimates are worth.

    Attributes:
        ais_chains: chains of annealed importance sampling.
        ais_steps: steps of each; 10⁴ give 0.05 nats at 16 x 16.
        bar_chains: Gibbs chains of the machine, started from lattices.
        bar_burn_in: steps before their first state is used.
        bar_states: states used of each chain.
        bar_spacing: steps between two of them.
    """

    ais_chains: int = 64
    ais_steps: int = 10_000
    bar_chains: int = 512
    bar_burn_in: int = 300
    bar_states: int = 10
    bar_spacing: int = 20


class Gap(NamedTuple):
    """ln Z of a machine by one method, and what follows from it.

    Attributes:
        method: exact, ais, bar or data.
        log_z: ln Z_q in nats.
        log_z_error: its standard error.
        ess: effective sample size as a share of the weights; of bar the overlap; of exact 1.
        cross_entropy: −⟨ln q⟩ over the lattices, in nats.
        kl: KL(p‖q) in nats; NaN where the distribution of the lattices is not known.
        kl_error: standard error of the two, with what ln Z_q and the mean have in common.
        believed: whether the effective sample size allows to believe it.
    """

    method: str
    log_z: float
    log_z_error: float
    ess: float
    cross_entropy: float
    kl: float
    kl_error: float
    believed: bool


class _LogZ(NamedTuple):
    """ln Z_q by one method.

    Attributes:
        method: exact, ais, bar or data.
        value: in nats.
        other_error: standard error from all that is random but the lattices.
        influence: (n,) what each lattice adds to n times the value's error; mean 0.
        ess: effective sample size.
        believed: whether it allows to believe the value.
    """

    method: str
    value: float
    other_error: float
    influence: Array
    ess: float
    believed: bool


def log_ising_weight(lattices: Spins, beta: float) -> Array:
    """ln p* = β Σ_<ij> σ_i σ_j of every lattice (n, L, L)."""
    sites = lattices.shape[1] * lattices.shape[2]
    return np.asarray(-beta * sites * energy_per_site(lattices))


def likelihood_gaps(
    machine: Machine, lattices: Spins, beta: float | None, *, effort: Effort, seed: int
) -> list[Gap]:
    """Measure KL(p‖q) by all methods.

    Args:
        machine: q.
        lattices: (n, L, L) int8, ±1, independent, that the machine has not seen.
        beta: of the Ising model that they are samples of; None if they are none (block spins):
            then only the cross entropy is measured.
        effort: how long.
        seed: of all random numbers.
    Raises:
        ValueError: the lattices do not fit on the machine.
    """
    log_q = log_weight(machine, lattices)
    found = _without_data(machine, len(lattices), effort, seed)
    if beta is None:
        mean = float(log_q.mean())
        return [_gap(log_z, mean, log_q - mean, math.nan) for log_z in found]
    log_p = log_ising_weight(lattices, beta)
    found.append(_by_data(log_q - log_p, beta, lattices.shape[1]))
    found.append(_by_bennett(machine, lattices, log_q - log_p, beta, effort, seed ^ 1))
    mean, influence = _mean_with_control(log_q, log_p, beta, lattices.shape[1])
    entropy = ising_entropy(beta, lattices.shape[1])
    return [_gap(log_z, mean, influence, entropy) for log_z in found]


def chosen(gaps: list[Gap]) -> Gap | None:
    """The believed gap of the smallest error; None if no method is to be believed."""
    believed = [gap for gap in gaps if gap.believed]
    return min(believed, key=lambda gap: gap.kl_error) if believed else None


def _without_data(machine: Machine, n: int, effort: Effort, seed: int) -> list[_LogZ]:
    """By annealing, and by enumeration if the machine is small."""
    none = np.zeros(n)
    found = []
    if min(machine.n_visible, machine.n_hidden) <= enumeration.MOST_UNITS:
        value = enumeration.log_partition_function(machine)
        found.append(_LogZ("exact", value, 0.0, none, 1.0, True))
    ais = annealed_importance_sampling(
        machine, chains=effort.ais_chains, steps=effort.ais_steps, seed=seed
    ).log_z
    found.append(_LogZ("ais", ais.value, ais.std_error, none, ais.ess, ais.believed))
    return found


def _by_data(x: Array, beta: float, L: int) -> _LogZ:
    """By ⟨q*/p*⟩_p, from x = ln q* − ln p* of the lattices."""
    mean = log_mean(x)
    influence = np.exp(x - mean.value) - 1
    value = log_partition_function(beta, L) + mean.value
    return _LogZ("data", value, 0.0, influence, mean.ess, mean.believed)


def _by_bennett(
    machine: Machine, lattices: Spins, x: Array, beta: float, effort: Effort, seed: int
) -> _LogZ:
    """By Bennett's acceptance ratio, with x as above."""
    n, L, _ = lattices.shape
    record = effort.bar_burn_in + effort.bar_spacing * np.arange(effort.bar_states)
    start = lattices[np.arange(effort.bar_chains) % n]
    chains = gibbs_chains(machine, start, record.tolist(), seed=seed)
    states = chains.reshape(-1, L, L)
    x_q = log_weight(machine, states) - log_ising_weight(states, beta)
    ratio = bennett_ratio(x, x_q.reshape(chains.shape[:2]))
    other_error = math.sqrt(max(ratio.std_error**2 - ratio.influence.var(ddof=1) / n, 0.0))
    value = log_partition_function(beta, L) + ratio.value
    return _LogZ("bar", value, other_error, ratio.influence, ratio.overlap, ratio.believed)


def _mean_with_control(log_q: Array, log_p: Array, beta: float, L: int) -> tuple[float, Array]:
    """⟨ln q*⟩_p, and the influence of each lattice on it.

    ln p* has an exactly known mean, and what ln q* has in common with it is no error.
    """
    exact = -beta * L * L * exact_energy(beta, L)
    common = log_p - log_p.mean()
    variance = float((common**2).mean())
    slope = float((common * (log_q - log_q.mean())).mean()) / variance if variance > 0 else 0.0
    left = log_q - slope * (log_p - exact)
    mean = float(left.mean())
    return mean, left - mean


def _gap(log_z: _LogZ, mean: float, influence: Array, entropy: float) -> Gap:
    """KL with its error, of ln Z_q less the mean of ln q*, which the same lattices decide."""

    def error(of_lattices: Array) -> float:
        variance = float(of_lattices.var(ddof=1)) / len(of_lattices)
        return math.sqrt(log_z.other_error**2 + variance)

    cross_entropy = log_z.value - mean
    return Gap(
        method=log_z.method,
        log_z=log_z.value,
        log_z_error=error(log_z.influence),
        ess=log_z.ess,
        cross_entropy=cross_entropy,
        kl=cross_entropy - entropy,
        kl_error=error(log_z.influence - influence),
        believed=log_z.believed,
    )
