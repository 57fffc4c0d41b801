"""Rule local_entropy: local entropy of lattices before and after the autoencoder and decimation."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.entropy import as_images, local_entropy
from coarsegrain.analysis.statistics import crossed_standard_error
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run


def main(*, lattices: Input, autoencoders: Inputs, table: Output, spec: Spec) -> None:
    """Mean local entropy per site at every β, with the spread over lattices and members.

    Spec: autoencoder_image (sign | rescale).
    """
    before = read_lattices(lattices)
    spins, betas = before.spins, np.unique(before.betas)
    reconstructed = [read_network(path)(spins).reshape(spins.shape) for path in autoencoders]
    images = {
        "input": [as_images(spins, "sign")],
        "autoencoder": [as_images(each, spec["autoencoder_image"]) for each in reconstructed],
        "decimated": [as_images(decimate(spins, 2), "sign")],
    }
    rows = []
    for name, members in images.items():
        for boundary in ("crop", "periodic"):
            entropies = np.array([local_entropy(each, boundary=boundary) for each in members])
            at_beta = entropies.reshape(len(members), len(betas), -1)
            for k, beta in enumerate(betas):
                rows.append(
                    {
                        "beta": beta,
                        "lattices": name,
                        "boundary": boundary,
                        "entropy_bits": at_beta[:, k].mean(),
                        "std_error": crossed_standard_error(at_beta[:, k]),
                    }
                )
    write_table(table, pd.DataFrame(rows))


if __name__ == "__main__":
    run(main)
