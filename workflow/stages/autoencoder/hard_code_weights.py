"""Rule hard_code_weights: the coarse-graining map as the weights of a net, HCG."""

from coarsegrain.nets.network import Layer, Network, write_network
from coarsegrain.rg.maps import hard_coded_weights
from pipeline.stage import Output, Spec, run


def main(*, network: Output, spec: Spec) -> None:
    """Write one step of the map as a linear net of one layer.

    Spec: L; map (decimation | majority); step (1 | 2); precision.
    """
    weights = hard_coded_weights(spec["L"], spec["map"], spec["step"])
    write_network(network, Network((Layer(weights.astype(spec["precision"])),)))


if __name__ == "__main__":
    run(main)
