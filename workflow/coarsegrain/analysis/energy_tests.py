"""Energies of lattices against their exact distribution, each lattice at its own β."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, smirnov

from coarsegrain.analysis.lattice_check import Check, FloatArray, skewed_p
from coarsegrain.ising.density_of_states import energy_levels, log_density_of_states
from coarsegrain.ising.observables import Spins, energy_per_site

# Lattices that one bin of inverse temperatures has at least, and how many bins there are at most.
LATTICES_PER_BIN, MOST_BINS = 200, 20
# Spreads a discrete distribution evenly over its steps; the same for every set of lattices.
_SPREADING_SEED = 19440201
_CHUNK = 4_000_000

Index = npt.NDArray[np.int64]


class Energies(NamedTuple):
    """X = −H of n lattices beside its exact distribution at the β of each; every entry is (n,).

    deviation: X − ⟨X⟩. moment_2, moment_3, moment_4, moment_6: exact central moments.
    uniform: P(energy level below X) + v·P(X), v uniform: uniform in (0, 1) for correct lattices.
    """

    deviation: FloatArray
    moment_2: FloatArray
    moment_3: FloatArray
    moment_4: FloatArray
    moment_6: FloatArray
    uniform: FloatArray

    def normal_scores(self) -> FloatArray:
        """(n,) independent standard normal numbers, if the lattices are correct."""
        return np.asarray(ndtri(np.clip(self.uniform, 1e-16, 1 - 1e-16)), dtype=np.float64)


def energies_and_their_law(spins: Spins, betas: FloatArray) -> Energies:
    """Compare X = −H of every lattice with its exact distribution.

    Args:
        spins: (n, L, L) ±1.
        betas: (n,) inverse temperatures.
    """
    n, L, _ = spins.shape
    levels = energy_levels(L)
    x = np.rint(-energy_per_site(spins) * L**2).astype(np.int64)
    level = (x + 2 * L**2) // 4
    temperatures, which = np.unique(betas, return_inverse=True)
    log_states = log_density_of_states(L, float(temperatures[0]), float(temperatures[-1]))
    known = np.flatnonzero(np.isfinite(log_states))
    low, high = int(known[0]), int(known[-1])
    levels, log_states = levels[low : high + 1], log_states[low : high + 1]
    near: Index = np.clip(level, low, high) - low
    spread: FloatArray = np.random.default_rng(_SPREADING_SEED).random(size=(n,))
    law = np.empty((6, n))
    rows = max(1, _CHUNK // len(levels))
    for start in range(0, len(temperatures), rows):
        beta = temperatures[start : start + rows]
        weight = log_states + beta[:, None] * levels
        weight = np.exp(weight - weight.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        origin = float(weight[len(beta) // 2] @ levels)
        powers = np.vander(levels - origin, 7, increasing=True)
        mean, central = _central_moments(weight @ powers)
        here = np.flatnonzero((which >= start) & (which < start + rows))
        row = which[here] - start
        up_to = np.cumsum(weight, axis=1)[row, near[here]]
        law[0, here] = x[here] - origin - mean[row]
        law[1:5, here] = central[:, row]
        law[5, here] = up_to - (1 - spread[here]) * weight[row, near[here]]
    law[5, level < low], law[5, level > high] = 0.0, 1.0
    return Energies(*law)


def _central_moments(raw: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean (k,) and central moments 2, 3, 4, 6 (4, k) from raw moments 0 to 6 (k, 7)."""
    _, m, m2, m3, m4, m5, m6 = raw.T
    central = [
        m2 - m**2,
        m3 - 3 * m * m2 + 2 * m**3,
        m4 - 4 * m * m3 + 6 * m**2 * m2 - 3 * m**4,
        m6 - 6 * m * m5 + 15 * m**2 * m4 - 20 * m**3 * m3 + 15 * m**4 * m2 - 5 * m**6,
    ]
    return np.asarray(m), np.array(central)


def beta_bins(betas: FloatArray) -> list[Index]:
    """Cut a set of lattices into bins of neighbouring β; lattices at one β stay together."""
    order = np.argsort(betas, kind="stable")
    _, first, number = np.unique(betas[order], return_index=True, return_counts=True)
    size = max(LATTICES_PER_BIN, -(-len(betas) // MOST_BINS))
    bins: list[Index] = []
    start = 0
    for stop in first + number:
        if (stop - start >= size and len(betas) - stop >= size) or stop == len(betas):
            bins.append(order[start:stop])
            start = stop
    return bins


def energy_tests(energies: Energies, betas: FloatArray) -> Iterator[Check]:
    """Mean, variance and whole distribution of the energy, in each bin of β and over all of them.

    The mean is compared with Kaufman's in exact standard errors. So is the mean square deviation
    from the exact mean: the heat capacity. The distribution is compared by Kolmogorov and
    Smirnov's test, with twice the one-sided probability as a bound of the two-sided one.
    """
    bins = beta_bins(betas)
    for chosen in [*bins, np.arange(len(betas))] if len(bins) > 1 else bins:
        e = Energies(*(values[chosen] for values in energies))
        low, high = float(betas[chosen].min()), float(betas[chosen].max())
        words = f"{len(chosen)} lattices"
        variance = e.moment_2.sum()
        z = float(e.deviation.sum() / np.sqrt(variance))
        skewness = float(e.moment_3.sum() / variance**1.5)
        # X = −H, so the energy has the opposite sign
        yield Check("energy", low, high, -z, skewed_p(z, skewness), words)

        square = e.deviation**2 / e.moment_2 - 1
        kurtosis = e.moment_4 / e.moment_2**2
        variance = (kurtosis - 1).sum()
        z = float(square.sum() / np.sqrt(variance))
        third = (e.moment_6 / e.moment_2**3 - 3 * kurtosis + 2).sum()
        yield Check("heat capacity", low, high, z, skewed_p(z, float(third / variance**1.5)), words)

        u = np.sort(e.uniform)
        steps = np.arange(len(u) + 1) / len(u)
        distance = float(max((steps[1:] - u).max(), (u - steps[:-1]).max()))
        p_value = min(1.0, 2 * float(smirnov(len(u), distance)))
        yield Check("energy distribution", low, high, distance, p_value, words)
