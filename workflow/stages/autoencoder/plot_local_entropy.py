"""Rule plot_local_entropy: local entropy against β (figure 13)."""

from coarsegrain.figures.autoencoder.local_entropy import local_entropy
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the table of local entropies, with both treatments of the edges."""
    save(local_entropy(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
