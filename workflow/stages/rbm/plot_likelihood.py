"""Rule plot_likelihood: how far machines are from the Ising model, by architecture."""

from coarsegrain.figures.rbm.likelihood import likelihood
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the divergences by every method."""
    save(likelihood(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
