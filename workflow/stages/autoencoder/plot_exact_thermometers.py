"""Rule plot_exact_thermometers: which way each map moves β, by the exact thermometers."""

from coarsegrain.figures.autoencoder.exact_thermometers import exact_thermometers
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the exact thermometers' readings."""
    save(exact_thermometers(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
