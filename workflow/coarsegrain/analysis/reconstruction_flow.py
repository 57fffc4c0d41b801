"""The flow of temperature when a Boltzmann machine reconstructs lattices again and again.

    v → h → v → h → …   with  h ~ p(h | v),  v ~ p(v | h)

(S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018), arXiv:1801.07172.) This is the
machine's own Gibbs sampler, so that the flow ends in what the machine takes for its distribution;
whether this is any Ising ensemble is for two thermometers to say, and where it lies, for machines
trained on other ranges of temperature.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from coarsegrain.analysis.distant_thermometer import DistantThermometer
from coarsegrain.analysis.exact_thermometer import Reading, exact_beta
from coarsegrain.ising.observables import Spins
from coarsegrain.rbm.chains import gibbs_chains
from coarsegrain.rbm.machine import Machine

COLUMNS = ("step", "beta_in", "beta_E", "beta_E_error", "beta_R", "beta_R_error")
NET_COLUMNS = ("beta_net", "beta_net_error")


def reconstructions(
    machine: Machine, spins: Spins, steps: Sequence[int], *, seed: int
) -> Iterator[tuple[int, Spins]]:
    """The lattices after each of the steps named, in order; 0 gives the lattices themselves.

    Args:
        machine: its visible units are the sites, row by row.
        spins: (n, L, L) int8, ±1.
        steps: rising, 0 or more.
        seed: of all units that are drawn.
    Raises:
        ValueError: the steps do not rise.
    """
    if list(steps) != sorted(set(steps)) or min(steps, default=0) < 0:
        raise ValueError(f"steps must rise from 0 or more, not be {list(steps)}.")
    if 0 in steps:
        yield 0, spins
    later = [step for step in steps if step]
    states = gibbs_chains(machine, spins, later, seed=seed)
    for k, step in enumerate(later):
        yield step, states[:, k].reshape(spins.shape)


def temperature_flow(
    machine: Machine,
    spins: Spins,
    betas: np.ndarray,
    steps: Sequence[int],
    distant: DistantThermometer,
    net: Callable[[Spins], Reading] | None = None,
    *,
    seed: int,
) -> pd.DataFrame:
    """β by every thermometer after every step, for each β that the lattices had.

    Args:
        machine: reconstructs.
        spins: (n, L, L) int8, ±1.
        betas: (n,) the inverse temperature of each; two lattices or more of each.
        steps: those to measure; 0 is the control, the thermometers on what they should read.
        distant: thermometer R.
        net: a third thermometer, if there is one.
        seed: of all units that are drawn.
    Returns:
        Columns ``COLUMNS``, and ``NET_COLUMNS`` with a third thermometer; one row per β and step.
    """
    rows = []
    groups = [betas == beta for beta in np.unique(betas)]
    for step, seen in reconstructions(machine, spins, steps, seed=seed):
        for group in groups:
            readings = [exact_beta(seen[group]), distant.read(seen[group])]
            if net is not None:
                readings.append(net(seen[group]))
            rows.append((step, betas[group][0], *(value for each in readings for value in each)))
    columns = COLUMNS if net is None else (*COLUMNS, *NET_COLUMNS)
    table = pd.DataFrame(rows, columns=list(columns))
    return table.sort_values(["beta_in", "step"], ignore_index=True)
