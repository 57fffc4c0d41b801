"""Rule plot_loss_curves: losses of the three models while they train (figures 9 and A.1)."""

import pandas as pd

from coarsegrain.figures.autoencoder.loss_curves import loss_curves
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, histories: Inputs, losses: Input, floors: Input, pdf: Output, png: Output) -> None:
    """Plot the trained models' histories, the transferred ones' losses, and what codes lose."""
    history = pd.concat([read_table(path) for path in histories], ignore_index=True)
    save(loss_curves(history, read_table(losses), read_table(floors)), pdf, png)


if __name__ == "__main__":
    run(main)
