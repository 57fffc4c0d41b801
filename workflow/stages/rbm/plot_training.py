"""Rule plot_training: trainings of Boltzmann machines, and whether they have converged."""

import pandas as pd

from coarsegrain.figures.rbm.training import training
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Inputs, Output, run


def main(*, histories: Inputs, pdf: Output, png: Output) -> None:
    """Plot the histories of the trained machines."""
    history = pd.concat([read_table(path) for path in histories], ignore_index=True)
    save(training(history), pdf, png)


if __name__ == "__main__":
    run(main)
