"""Rule transfer_weights: insert the weights of shallow nets into the frame of a model."""

from coarsegrain.nets.network import read_network, write_network
from coarsegrain.nets.transfer import joined
from pipeline.stage import Inputs, Output, run


def main(*, parts: Inputs, network: Output) -> None:
    """Join nets, in the order given, into one: the first's inputs to the last's outputs."""
    write_network(network, joined([read_network(path) for path in parts]))


if __name__ == "__main__":
    run(main)
