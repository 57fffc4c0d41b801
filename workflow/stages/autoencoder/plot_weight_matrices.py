"""Rule plot_weight_matrices: weights of both encoders (figures 11, B.1 and B.2)."""

from coarsegrain.figures.autoencoder.weight_matrices import weight_matrices
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from pipeline.stage import Input, Output, run


def main(*, rg_1: Input, rg_2: Input, autoencoder: Input, pdf: Output, png: Output) -> None:
    """Plot the weights of the two coarse-grainers beside those of Model-1's first two layers."""
    rg = read_network(rg_1).layers[0].weight, read_network(rg_2).layers[0].weight
    first, second = read_network(autoencoder).layers[:2]
    encoder = first.weight, second.weight
    save(weight_matrices(rg, encoder), pdf, png)


if __name__ == "__main__":
    run(main)
