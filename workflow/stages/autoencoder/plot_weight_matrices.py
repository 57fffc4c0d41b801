"""Rule plot_weight_matrices: weights of both encoders (figures 11, B.1 and B.2)."""

from coarsegrain.figures.autoencoder.weight_matrices import weight_matrices
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from pipeline.stage import Inputs, Output, run


def main(*, rg_1: Inputs, rg_2: Inputs, autoencoders: Inputs, pdf: Output, png: Output) -> None:
    """Plot the weights of the two coarse-grainers beside those of Model-1's first two layers."""
    first, second = [read_network(path) for path in rg_1], [read_network(path) for path in rg_2]
    rg = [net.layers[0].weight for net in first], [net.layers[0].weight for net in second]
    encoders = [read_network(path).layers for path in autoencoders]
    of_both = [each[0].weight for each in encoders], [each[1].weight for each in encoders]
    save(weight_matrices(rg, of_both), pdf, png)


if __name__ == "__main__":
    run(main)
