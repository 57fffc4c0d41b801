"""Rule plot_scales: renormalized energies by scale."""

from coarsegrain.figures.neuralrg.scales import scales
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the renormalized energy, how right it is, and what it tells beyond a free field."""
    save(scales(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
