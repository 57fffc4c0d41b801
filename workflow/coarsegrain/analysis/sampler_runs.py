"""Runs of the samplers that are compared: with a flow by sublattices, and without one.

Chains burn in for a tenth of the steps that are then observed.
"""

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.flow_gap import log_weights
from coarsegrain.analysis.samplers import Sampler, of_chains, of_weighted_samples
from coarsegrain.flows.flow import Drawn, Fields
from coarsegrain.flows.hmc import Chains, run_chains
from coarsegrain.flows.independence import independence_chains
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.ising.dual import DualIsing, magnetization_squared
from coarsegrain.ising.equilibration import equilibration_steps
from coarsegrain.ising.observables import magnetization_squared as squared_of_spins
from coarsegrain.ising.sampler.chain_states import chain_states

Array = npt.NDArray[np.float64]

#: Where tuning of the leapfrog step starts: the authors' step in latent space.
STEP_SIZE = 0.2
#: Observed steps for each that burns in.
BURN_IN = 10
#: Passes over all sites of a step of the lattice's own chain: a cluster and a sweep.
PASSES = 2


def latent_hmc(
    flow: SublatticeFlow, start: Fields, *, trajectories: int, leapfrogs: int, seed: int
) -> Sampler:
    """Hybrid Monte Carlo of a flow's latent variables.

    Args:
        flow: whose spectrum is the target's.
        start: (chains, L, L) fields.
        trajectories: that are observed.
        leapfrogs: of a trajectory.
        seed: of all that is random.
    """
    found = run_chains(
        flow.latent_energy,
        flow.latents_with_modes(start),
        lambda latents: magnetization_squared(flow.fields_of(latents)),
        trajectories=trajectories,
        burn_in=trajectories // BURN_IN,
        leapfrogs=leapfrogs,
        step_size=STEP_SIZE,
        rng=np.random.default_rng(seed),
    )
    return _of_hybrid("latent HMC", found, leapfrogs)


def physical_hmc(
    dual: DualIsing, start: Fields, *, trajectories: int, leapfrogs: int, seed: int
) -> Sampler:
    """Hybrid Monte Carlo of the fields themselves; arguments as above."""
    shape = (-1, dual.L, dual.L)

    def energy(x: Array) -> tuple[Array, Array]:
        fields = x.reshape(shape)
        return dual.energy(fields), dual.gradient(fields).reshape(x.shape)

    found = run_chains(
        energy,
        np.asarray(start, dtype=np.float64).reshape(len(start), -1),
        lambda x: magnetization_squared(x.reshape(shape)),
        trajectories=trajectories,
        burn_in=trajectories // BURN_IN,
        leapfrogs=leapfrogs,
        step_size=STEP_SIZE,
        rng=np.random.default_rng(seed),
    )
    return _of_hybrid("physical HMC", found, leapfrogs)


def from_fresh_samples(
    dual: DualIsing, drawn: Drawn, *, chains: int, seed: int
) -> tuple[Sampler, Sampler]:
    """A flow's samples as proposals of Metropolis and Hastings, and with the weights p/q.

    Args:
        dual: p.
        drawn: independent samples of q; chains share them out.
        chains: side by side.
        seed: of acceptances.
    """
    weights = log_weights(dual, drawn.fields, drawn.log_q)
    squared = magnetization_squared(drawn.fields)
    used = len(weights) - len(weights) % chains
    walk = independence_chains(weights[:used].reshape(-1, chains), rng=np.random.default_rng(seed))
    observed = np.take_along_axis(squared[:used].reshape(-1, chains), walk.at, axis=0)
    proposed = of_chains(
        "flow proposals",
        observed[len(observed) // (BURN_IN + 1) :],
        acceptance=float(walk.acceptance.mean()),
        evaluations=1,
    )
    return proposed, of_weighted_samples("reweighting", squared, weights)


def lattice_chains(dual: DualIsing, *, chains: int, steps: int, seed: int) -> Sampler:
    """The lattice's own chains: one cluster and one heat-bath sweep a step, from a cold start.

    Args:
        dual: its L and β.
        chains: side by side.
        steps: that are observed.
        seed: of all that is random.
    """
    burn_in = max(steps // BURN_IN, equilibration_steps(dual.L))
    states = chain_states(dual.beta, dual.L, chains=chains, burn_in=burn_in, steps=steps, seed=seed)
    observed = np.array([squared_of_spins(spins) for spins in states])
    return of_chains("clusters and sweeps", observed, acceptance=1.0, evaluations=PASSES)


def _of_hybrid(method: str, found: Chains, leapfrogs: int) -> Sampler:
    return of_chains(
        method,
        found.observed,
        acceptance=float(found.acceptance.mean()),
        evaluations=leapfrogs,
        step_size=found.step_size,
    )
