"""Rule plot_autoencoder_wide_range_losses: losses of AE-WR while it trains (figure A.2)."""

import pandas as pd

from coarsegrain.figures.autoencoder.autoencoder_wide_range_losses import (
    autoencoder_wide_range_losses,
)
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Inputs, Output, run


def main(*, histories: Inputs, pdf: Output, png: Output) -> None:
    """Plot the histories of all members."""
    history = pd.concat([read_table(path) for path in histories], ignore_index=True)
    save(autoencoder_wide_range_losses(history), pdf, png)


if __name__ == "__main__":
    run(main)
