"""Rule plot_blocking: locality of hidden units and their tiling, against chance."""

from coarsegrain.figures.rbm.blocking import blocking
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the table of machines' fields."""
    save(blocking(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
