"""Rule plot_information: how independent latent variables are, scale by scale."""

from coarsegrain.figures.neuralrg.information import information
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, totals: Input, pdf: Output, png: Output) -> None:
    """Plot mutual information by scale and of all, of latent variables and of fields."""
    save(information(read_table(table), read_table(totals)), pdf, png)


if __name__ == "__main__":
    run(main)
