"""Rule plot_lattice_gallery: lattices, as they are, autoencoded and decimated (figure 14)."""

import numpy as np

from coarsegrain.figures.autoencoder.lattice_gallery import lattice_gallery
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from pipeline.stage import Input, Output, Spec, run


def main(*, lattices: Input, autoencoder: Input, pdf: Output, png: Output, spec: Spec) -> None:
    """Plot the first lattice at each β, what the autoencoder makes of it, and its decimation.

    Spec: L; betas, of which the nearest that the file holds are shown.
    """
    L = spec["L"]
    held = read_lattices(lattices)
    chosen = [int(np.argmin(np.abs(held.betas - beta))) for beta in spec["betas"]]
    spins = held.spins[chosen].reshape(-1, L, L)
    output = read_network(autoencoder)(spins.reshape(len(spins), -1)).reshape(spins.shape)
    rows = {
        "input": list(spins),
        "autoencoder": list(np.where(output < 0, -1, 1)),
        "decimated": list(decimate(spins, steps=2)),
    }
    save(lattice_gallery(rows, held.betas[chosen].tolist()), pdf, png)


if __name__ == "__main__":
    run(main)
