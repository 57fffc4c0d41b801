"""Rule local_entropy: local entropy of lattices before and after the autoencoder and decimation."""

import numpy as np
import pandas as pd

from coarsegrain.analysis.entropy import Boundary, ImageName, as_images, local_entropy
from coarsegrain.analysis.statistics import crossed_standard_error, standard_error
from coarsegrain.nets.network import read_network
from coarsegrain.rg.decimation import decimate
from coarsegrain.storage.lattices import read_lattices
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, Spec, run

BOUNDARIES: tuple[Boundary, ...] = ("crop", "periodic")
OTHER_IMAGE: dict[ImageName, ImageName] = {"sign": "rescale", "rescale": "sign"}
# The other image differs by tenths of a bit, which every fourth lattice shows at a quarter's cost.
EVERY = 4


def main(*, lattices: Input, autoencoders: Inputs, table: Output, gaps: Output, spec: Spec) -> None:
    """Mean local entropy per site at every β, with the spread over lattices and members.

    The gaps are those to the input, lattice by lattice and member by member; those of the
    autoencoder also with the other way to make its output an image.
    Spec: autoencoder_image (sign | rescale).
    """
    before = read_lattices(lattices)
    spins, betas = before.spins, np.unique(before.betas)
    image: ImageName = spec["autoencoder_image"]
    reconstructed = [read_network(path)(spins).reshape(spins.shape) for path in autoencoders]
    images = {
        "input": [as_images(spins, "sign")],
        "autoencoder": [as_images(each, image) for each in reconstructed],
        "decimated": [as_images(decimate(spins, 2), "sign")],
    }

    def measured(members: list[np.ndarray], boundary: Boundary) -> np.ndarray:
        entropies = np.array([local_entropy(each, boundary=boundary) for each in members])
        return entropies.reshape(len(members), len(betas), -1)

    entropies = {
        (name, boundary): measured(members, boundary)
        for name, members in images.items()
        for boundary in BOUNDARIES
    }
    rows = [
        {
            "beta": beta,
            "lattices": name,
            "boundary": boundary,
            "entropy_bits": at_beta[:, k].mean(),
            "std_error": crossed_standard_error(at_beta[:, k]),
        }
        for (name, boundary), at_beta in entropies.items()
        for k, beta in enumerate(betas)
    ]
    write_table(table, pd.DataFrame(rows))

    other = OTHER_IMAGE[image]
    per_beta = len(spins) // len(betas)
    some = slice(None, None, min(EVERY, per_beta // 2))
    at_beta = np.arange(len(spins)).reshape(len(betas), per_beta)
    few = [as_images(each[at_beta[:, some].ravel()], other) for each in reconstructed]
    of_input = {boundary: entropies["input", boundary][0] for boundary in BOUNDARIES}
    frames = [
        _gaps(betas, of_input[boundary], entropies[name, boundary],
              lattices=name, image=images_are, boundary=boundary)
        for name, images_are in (("autoencoder", image), ("decimated", "sign"))
        for boundary in BOUNDARIES
    ]  # fmt: skip
    frames.append(
        _gaps(betas, of_input["crop"][:, some], measured(few, "crop"),
              lattices="autoencoder", image=other, boundary="crop")
    )  # fmt: skip
    write_table(gaps, pd.concat(frames, ignore_index=True))


def _gaps(betas: np.ndarray, before: np.ndarray, after: np.ndarray, **kind: str) -> pd.DataFrame:
    """Entropy after less that before, at every β: before (k, n), after (members, k, n)."""
    return pd.concat(
        pd.DataFrame(
            {
                "beta": betas,
                **kind,
                "member": pd.NA if kind["lattices"] == "decimated" else member,
                "gap_bits": gap.mean(axis=1),
                "relative_gap": gap.mean(axis=1) / before.mean(axis=1),
                "std_error": standard_error(gap),
            }
        )
        for member, gap in enumerate(after - before)
    )


if __name__ == "__main__":
    run(main)
