"""Rule sample_lattices: draw a set of independent lattices, or join the shards of one."""

from pathlib import Path

import numpy as np

from coarsegrain.storage.lattices import read_lattices, write_lattices
from pipeline.stage import Option, Output, Parts, Spec, run

# Shards are temporary: the code that drew them is code of the lattices that they are joined to.
from stages.lattices.sample_shard import draw


def main(*, shards: Parts, lattices: Output, device: Option, spec: Spec) -> None:
    """Draw a set of independent L x L Ising lattices with periodic boundaries.

    With shards (see sample_shard), in their order, join those instead: the same bytes. So are
    those of any device: cpu, cuda or auto.

    Spec: L; method (hybrid | exact); steps (a number or "auto"; hybrid only); seed; betas, one of
      {"constant": beta, "number": n}
      {"uniform": [from, below], "number": n}
      {"grid": [beta, ...], "each": n}
    """
    if shards:
        join(shards, lattices)
    else:
        draw(lattices, spec, device)


def join(shards: list[Path], path: Path) -> None:
    """Write the shards of a set as one."""
    parts = [read_lattices(shard) for shard in shards]
    spins, betas = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("spins", "betas")
    )
    write_lattices(path, spins, betas, parts[0].attributes)


if __name__ == "__main__":
    run(main)
