"""Rule plot_reconstructions: one lattice reconstructed by the three models (figure 10)."""

from coarsegrain.errors import CoarsegrainError
from coarsegrain.figures.autoencoder.reconstructions import reconstructions
from coarsegrain.figures.style import save
from coarsegrain.nets.network import read_network
from coarsegrain.storage.lattices import read_lattices
from pipeline.stage import Input, Inputs, Output, Spec, run


def main(
    *,
    lattices: Input,
    model_1: Inputs,
    model_2: Inputs,
    model_3: Inputs,
    pdf: Output,
    png: Output,
    spec: Spec,
) -> None:
    """Plot one test lattice and what each member of each model makes of it.

    Spec: L; lattice, the number of a test lattice in the file, counted from 0.
    """
    L, chosen = spec["L"], spec["lattice"]
    spins = read_lattices(lattices).spins
    if not 0 <= chosen < len(spins):
        raise CoarsegrainError(
            f"{lattices} holds {len(spins)} lattices: there is no lattice {chosen} to draw."
        )
    lattice = spins[chosen].reshape(L, L)
    networks = {"Model-1": model_1, "Model-2": model_2, "Model-3": model_3}
    outputs = {
        name: [read_network(path)(lattice.reshape(1, -1)).reshape(L, L) for path in members]
        for name, members in networks.items()
    }
    save(reconstructions(lattice, outputs), pdf, png)


if __name__ == "__main__":
    run(main)
