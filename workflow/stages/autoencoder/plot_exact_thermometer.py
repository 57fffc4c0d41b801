"""Rule plot_exact_thermometer: which way each map moves β, by the exact thermometer."""

from coarsegrain.figures.autoencoder.exact_thermometer import exact_thermometer
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the exact thermometer's readings."""
    save(exact_thermometer(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
