"""Rule plot_spin_correlations: W Wᵀ of both encoders (figures 12, B.3 and B.4)."""

from coarsegrain.figures.autoencoder.spin_correlations import spin_correlations
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from pipeline.stage import Input, Output, Spec, run


def main(
    *, rg_1: Input, rg_2: Input, autoencoder: Input, pdf: Output, png: Output, spec: Spec
) -> None:
    """Plot W Wᵀ of the two coarse-grainers beside that of Model-1's first two layers.

    Spec: L.
    """
    rg = read_network(rg_1).layers[0].weight, read_network(rg_2).layers[0].weight
    first, second = read_network(autoencoder).layers[:2]
    encoder = first.weight, second.weight
    L = spec["L"]
    save(spin_correlations(rg, encoder, L=L, zoom=5 * L // 2), pdf, png)


if __name__ == "__main__":
    run(main)
