"""Rule plot_thermometer: actual against predicted β (figure 15)."""

import pandas as pd

from coarsegrain.figures.autoencoder.thermometer import thermometer
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, table: Input, histories: Inputs, pdf: Output, png: Output) -> None:
    """Plot the predictions of all members on their test lattices, and how they were trained."""
    training = pd.concat([read_table(path) for path in histories], ignore_index=True)
    save(thermometer(read_table(table), training), pdf, png)


if __name__ == "__main__":
    run(main)
