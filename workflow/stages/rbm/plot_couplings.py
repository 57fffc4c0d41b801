"""Rule plot_couplings: couplings of machines, layer by layer."""

from coarsegrain.figures.rbm.couplings import couplings
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the couplings by source."""
    save(couplings(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
