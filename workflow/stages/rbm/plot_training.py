"""Rule plot_training: trainings of Boltzmann machines, and whether they have converged."""

import pandas as pd

from coarsegrain.figures.rbm.training import training
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Inputs, Output, Spec, run


def main(*, histories: Inputs, pdf: Output, png: Output, spec: Spec) -> None:
    """Plot the histories of the trained machines.

    Spec: words, for each file: what the figure calls the machine.
    """
    named = [
        read_table(path).assign(machine=words)
        for path, words in zip(histories, spec["words"], strict=True)
    ]
    save(training(pd.concat(named, ignore_index=True)), pdf, png)


if __name__ == "__main__":
    run(main)
