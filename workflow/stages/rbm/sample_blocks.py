"""Rule sample_blocks: lattices of independent 2 x 2 blocks, a control for fits of block spins."""

import numpy as np

from coarsegrain.rbm.machine import TiedMachine, visible_given_hidden
from coarsegrain.storage.lattices import write_lattices
from pipeline.stage import Output, Spec, run


def main(*, lattices: Output, spec: Spec) -> None:
    """Draw lattices from the machine with one unit per disjoint block and four equal weights.

    Its units are up or down with equal probability, and given them spins are independent: a machine
    trained on these lattices must find soft majorities of blocks, if training and fit can.
    Spec: L, number, scale (W₀ of every unit), seed. The β in the file has no meaning and is 0.
    """
    L, number, scale = spec["L"], spec["number"], spec["scale"]
    machine = TiedMachine(np.full((1, 2, 2), scale), L)
    rng = np.random.default_rng(spec["seed"])
    hidden = rng.choice(np.array([-1, 1], dtype=np.int8), (number, machine.n_hidden))
    spins = visible_given_hidden(machine, hidden, rng=rng).reshape(number, L, L)
    attributes = {"sampler": "independent blocks", "scale": scale, "seed": str(spec["seed"])}
    write_lattices(lattices, spins, np.zeros(number), attributes)


if __name__ == "__main__":
    run(main)
