"""Rule decimate_lattices: coarse-grain a set of lattices twice."""

from coarsegrain.rg.maps import coarse_grain
from coarsegrain.storage.lattices import read_lattices, write_lattices
from pipeline.stage import Input, Output, Spec, run


def main(*, lattices: Input, first: Output, second: Output, spec: Spec) -> None:
    """Coarse-grain every lattice twice, each step halving the number of sites.

    Spec: map (decimation | majority); seed (of the majority rule's ties).
    """
    before = read_lattices(lattices)
    after = coarse_grain(before.spins, spec["map"], seed=spec["seed"])
    for step, (path, spins) in enumerate(zip((first, second), after, strict=True), start=1):
        write_lattices(
            path, spins, before.betas, {**before.attributes, "map": spec["map"], "step": step}
        )


if __name__ == "__main__":
    run(main)
