"""Rule sample_shard: draw a part of a set of lattices, to be joined by sample_lattices."""

from pipeline.stage import Option, Output, Spec, run
from stages.sample_lattices import draw


def main(*, lattices: Output, device: Option, spec: Spec) -> None:
    """Draw one shard of a set: the same bits, whatever the number of shards.

    Spec: set, the spec of sample_lattices; shard, from 0; shards, their number.
    """
    draw(lattices, spec["set"], device, spec["shard"], spec["shards"])


if __name__ == "__main__":
    run(main)
