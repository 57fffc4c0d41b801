"""Rule plot_local_entropy: local entropy against β (figure 13)."""

from coarsegrain.figures.autoencoder.local_entropy import local_entropy
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, Spec, run


def main(*, table: Input, gaps: Input, pdf: Output, png: Output, spec: Spec) -> None:
    """Plot local entropies and their differences to the input, with both treatments of the edges.

    Spec: autoencoder_image, the one of the table.
    """
    figure = local_entropy(read_table(table), read_table(gaps), spec["autoencoder_image"])
    save(figure, pdf, png)


if __name__ == "__main__":
    run(main)
