"""Rule plot_lattice_gallery: lattices, as they are, autoencoded and decimated (figure 14)."""

import numpy as np

from coarsegrain.figures.autoencoder.lattice_gallery import lattice_gallery
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from pipeline.stage import Input, Inputs, Output, Spec, run


def main(*, lattices: Input, autoencoders: Inputs, pdf: Output, png: Output, spec: Spec) -> None:
    """Plot the first lattice at each β, what autoencoders make of it, and its decimation.

    Spec: L; betas, of which the nearest that the file holds are shown.
    """
    L = spec["L"]
    held = read_lattices(lattices)
    chosen = [int(np.argmin(np.abs(held.betas - beta))) for beta in spec["betas"]]
    spins = held.spins[chosen].reshape(-1, L, L)
    outputs = [read_network(path)(spins).reshape(spins.shape) for path in autoencoders]
    signs = np.array([np.where(output < 0, -1, 1) for output in outputs])
    rows = {
        "input": list(spins),
        "autoencoder": list(signs[0]),
        "autoencoders": list(signs.mean(axis=0)),
        "decimated": list(decimate(spins, steps=2)),
    }
    figure = lattice_gallery(rows, held.betas[chosen].tolist(), len(signs))
    save(figure, pdf, png)


if __name__ == "__main__":
    run(main)
