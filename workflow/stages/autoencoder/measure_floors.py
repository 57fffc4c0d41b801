"""Rule measure_floors: what linear codes lose with their best linear decoders, in closed form."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from coarsegrain.analysis.linear_codes import (
    Array,
    Reconstruction,
    block_code,
    block_means,
    decimation,
    linear_code,
    principal_components,
    random_mixtures,
    random_sites,
    spectrum,
)
from coarsegrain.ising.observables import Spins
from coarsegrain.nets.amplitudes import MOST_OUTPUTS, best_gain
from coarsegrain.nets.losses import hinge, mean_squared_error, spin_accuracy
from coarsegrain.nets.splits import split
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

DIGITS = 9
# Of more sites than these the first test lattices are decoded: 16,384 of them at L = 32, in 2 GB.
MOST_SITES = 2**24
# Largest code that is no convolution: that of L = 64. Its dense matrices have 32 MiB each.
MOST_NUMBERS = 1024
# Of principal components also so many parts of the sites; models and other codes have a quarter.
OTHER_RANKS = (32, 16, 8, 2)


def main(*, lattices: Inputs, test: Input, table: Output, spec: Spec) -> None:
    """Fit every code to the training lattices of each member, in the order given; test them all.

    Gains are fitted to the training lattices, too. Random codes are drawn for each member afresh,
    and only up to L = 64.
    Spec: seed (of the random codes); rank (of the codes that may have any); validation_fraction.
    """
    unseen, rows = first(read_lattices(test).spins, MOST_SITES), []
    for member, path in enumerate(lattices):
        own = read_lattices(path).spins
        own = own[split(len(own), validation_fraction=spec["validation_fraction"]).train]
        rng = np.random.default_rng((spec["seed"], member))
        some = first(own, MOST_OUTPUTS)
        for encoder, rank, code in codes(spectrum(own), spec["rank"], rng=rng):
            gain = best_gain(flat(code(some)), flat(some))
            y, t = flat(code(unseen)), flat(unseen)
            rows.append(
                {
                    "encoder": encoder,
                    "rank": rank,
                    "member": member,
                    "mse": float(mean_squared_error(y, t)),
                    "hinge_least_squares": float(hinge(y, t)),
                    "gain": gain,
                    "hinge_best_gain": float(hinge(gain * y, t)),
                    "spin_accuracy": spin_accuracy(y, t),
                }
            )
    write_table(table, pd.DataFrame(rows).round(DIGITS))


def codes(
    eigenvalues: Array, rank: int, *, rng: np.random.Generator
) -> Iterator[tuple[str, int, Reconstruction]]:
    """Names and ranks of the codes, and what they make of lattices."""
    L = len(eigenvalues)
    yield "one mode", 1, principal_components(eigenvalues, 1)
    yield "principal components", rank, principal_components(eigenvalues, rank)
    for other in filter(None, (L * L // parts for parts in OTHER_RANKS)):
        components = principal_components(eigenvalues, other)
        yield "principal components of other rank", other, components
    yield "decimation", L * L // 4, block_code(eigenvalues, decimation(L))
    yield "block means", L * L // 4, block_code(eigenvalues, block_means(L))
    if rank <= MOST_NUMBERS:
        yield "random sites", rank, linear_code(eigenvalues, random_sites(L, rank, rng=rng))
        yield "random linear", rank, linear_code(eigenvalues, random_mixtures(L, rank, rng=rng))


def first(spins: Spins, sites: int) -> Spins:
    """As many lattices as have so many sites, at least one."""
    return spins[: max(1, sites // spins[0].size)]


def flat(lattices: np.ndarray) -> np.ndarray:
    """(n, L²) of (n, L, L)."""
    return lattices.reshape(len(lattices), -1)


if __name__ == "__main__":
    run(main)
