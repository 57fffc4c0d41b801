"""Rule block_mechanism: what a machine with one unit per disjoint block loses, in nats."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from coarsegrain.analysis.block_mechanism import (
    Block,
    best_scale,
    exact_block,
    independent_spins,
    measured_block,
    one_unit_per_block,
    product_of_blocks,
)
from coarsegrain.ising.exact import entropy
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Inputs, Output, Spec, run

DECIMALS = 9  # libm's exponentials differ by processor in the last digits of a float64


def main(*, lattices: Inputs, table: Output, spec: Spec) -> None:
    """KL(Ising || machine) at best weights, and its bound, for exact and for measured blocks.

    ``lattices``: sets of independent lattices, measured at each of their β. Spec: exact, a list of
    [L, β] with L at most 8.
    """
    rows = []
    for L, beta, source, number, block in _blocks(lattices, spec):
        scale = best_scale(block)
        for machine, W0, (nats, error) in (
            ("no weights", 0.0, independent_spins(beta, L)),
            ("one unit per block", scale, one_unit_per_block(block, scale, beta, L)),
            ("any product of blocks", np.nan, product_of_blocks(block, beta, L)),
        ):
            rows.append(
                {
                    "L": L,
                    "beta": beta,
                    "machine": machine,
                    "W0": round(W0, DECIMALS),
                    "kl_nats": round(nats, DECIMALS),
                    "kl_error": round(error, DECIMALS),
                    "kl_per_site": round(nats / L**2, DECIMALS),
                    "kl_per_site_error": round(error / L**2, DECIMALS),
                    "entropy_nats": round(entropy(beta, L), DECIMALS),
                    "source": source,
                    "lattices": number,
                }
            )
    write_table(table, pd.DataFrame(rows))


def _blocks(lattices: Inputs, spec: Spec) -> Iterator[tuple[int, float, str, int, Block]]:
    for L, beta in spec["exact"]:
        yield L, beta, "transfer matrix", 0, exact_block(beta, L)
    for path in lattices:
        given = read_lattices(path)
        for beta in np.unique(given.betas):
            spins = given.spins[given.betas == beta]
            block = measured_block(spins, float(beta))
            yield spins.shape[1], float(beta), "lattices", len(spins), block


if __name__ == "__main__":
    run(main)
