"""Rule plot_spin_correlations: W Wᵀ of both encoders (figures 12, B.3 and B.4)."""

from coarsegrain.figures.autoencoder.spin_correlations import spin_correlations
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from pipeline.stage import Inputs, Output, Spec, run


def main(
    *, rg_1: Inputs, rg_2: Inputs, autoencoders: Inputs, pdf: Output, png: Output, spec: Spec
) -> None:
    """Plot W Wᵀ of the two coarse-grainers beside that of Model-1's first two layers.

    Spec: L.
    """
    first, second = [read_network(path) for path in rg_1], [read_network(path) for path in rg_2]
    rg = [net.layers[0].weight for net in first], [net.layers[0].weight for net in second]
    encoders = [read_network(path).layers for path in autoencoders]
    of_both = [each[0].weight for each in encoders], [each[1].weight for each in encoders]
    L = spec["L"]
    save(spin_correlations(rg, of_both, L=L, zoom=5 * L // 2), pdf, png)


if __name__ == "__main__":
    run(main)
