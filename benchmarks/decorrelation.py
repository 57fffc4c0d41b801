"""How many steps a peer needs for one more independent lattice, at the bias that ours has.

Two ways to take independent lattices from a Markov chain, both at a residual bias of 1e-4 standard
deviations of one lattice, and both measured on the same chains:

* a chain for each, from its start: the bias of the mean decays as A exp(−t/τ);
* one long chain, its start forgotten, a lattice every so many steps: given a lattice one standard
  deviation off, the next one is off by the autocorrelation ρ(t) = A exp(−t/τ).

The fits are those of ``relaxation``, to the energy and to m²; the slower of the two counts.
"""

from dataclasses import dataclass

import numpy as np

from coarsegrain.ising import exact
from peers import Array, Peer
from relaxation import fit_relaxation

#: A tenth of the error of the mean of 10⁶ lattices.
BIAS = 1e-4
#: Largest bias and autocorrelation fitted.
_FIT_FROM = 0.5
#: Longest lag, in steps.
_MAX_LAG = 30
#: Groups of chains; errors come from the spread between them.
_GROUPS = 16


@dataclass(frozen=True)
class Steps:
    """Steps per independent lattice (NaN where too few points could be fitted), and checks."""

    from_start: float
    long_chain: float
    #: (measured − Kaufman)/standard error, of the energy of the second half of the chains.
    energy_pull: float

    @property
    def fewer(self) -> float:
        """The way that takes fewer steps."""
        return float(np.nanmin([self.from_start, self.long_chain]))


def steps_per_lattice(peer: Peer, beta: float, L: int, chains: int, length: int) -> Steps | None:
    """Measure both numbers of steps on ``chains`` chains of ``length`` steps.

    Returns None for a peer that does not show single steps.
    """
    series = peer.series(chains, length)
    if series is None:
        return None
    energy, m2 = series
    late = slice(length // 2, None)
    energy_mean = exact.energy_per_site(beta, L)
    observables = [(energy, energy_mean), (m2, m2[:, late].mean())]
    from_start = [_steps(_bias(x, mean, late), 1) for x, mean in observables]
    long_chain = [_steps(_autocorrelation(x[:, late], mean), 0) for x, mean in observables]
    groups = energy[:, late].mean(axis=1).reshape(_GROUPS, -1).mean(axis=1)
    error = groups.std(ddof=1) / np.sqrt(_GROUPS)
    pull = (groups.mean() - energy_mean) / error
    return Steps(_slower(from_start), _slower(long_chain), float(pull))


def _slower(steps: list[float]) -> float:
    return float("nan") if np.isnan(steps).all() else float(np.nanmax(steps))


def _bias(x: Array, mean: float, late: slice) -> Array:
    """Bias of each group of chains (groups, t), in standard deviations of one lattice."""
    groups = x.reshape(_GROUPS, -1, x.shape[1]).mean(axis=1)
    return (groups - mean) / x[:, late].std()


def _autocorrelation(x: Array, mean: float) -> Array:
    """ρ at lags 0, 1, … of each group of chains (groups, lags)."""
    deviation = (x - mean).reshape(_GROUPS, -1, x.shape[1])
    variance = (deviation**2).mean()
    steps = x.shape[1]
    lags = range(min(_MAX_LAG, steps // 2))
    products = [(deviation[..., : steps - t] * deviation[..., t:]).mean(axis=(1, 2)) for t in lags]
    return np.stack(products, axis=1) / variance


def _steps(curves: Array, first: int) -> float:
    """The t at which A exp(−t/τ), fitted to the mean of curves (groups, t), has fallen to ``BIAS``.

    The first points of the curves are at t = ``first``.
    """
    curve = np.abs(curves.mean(axis=0))
    error = curves.std(axis=0, ddof=1)[len(curve) // 2 :].mean() / np.sqrt(_GROUPS)
    t = np.arange(first, first + len(curve))
    tau, _, amplitude, _, _ = fit_relaxation(t, curve, error, _FIT_FROM)
    return float(tau * np.log(amplitude / BIAS))
