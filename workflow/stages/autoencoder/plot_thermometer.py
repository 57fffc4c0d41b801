"""Rule plot_thermometer: actual against predicted β (figure 15)."""

import pandas as pd

from coarsegrain.figures.autoencoder.thermometer import thermometer
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, table: Input, histories: Inputs, exact: Input, pdf: Output, png: Output) -> None:
    """Plot what all members and thermometer E read off the test lattices, and the training."""
    training = pd.concat([read_table(path) for path in histories], ignore_index=True)
    save(thermometer(read_table(table), training, read_table(exact)), pdf, png)


if __name__ == "__main__":
    run(main)
