"""Rule plot_temperature_flow: β under repeated reconstruction, by every thermometer."""

from coarsegrain.figures.rbm.temperature_flow import temperature_flow
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the table of the flow."""
    save(temperature_flow(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
