"""Rule plot_gap: how far flows are from the Ising model, while they are trained and afterwards."""

from coarsegrain.figures.neuralrg.gap import gap
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, gaps: Input, training: Input, gaussian: Input, pdf: Output, png: Output) -> None:
    """Plot the gap by step, and both divergences of the trained flows."""
    save(gap(read_table(gaps), read_table(training), read_table(gaussian)), pdf, png)


if __name__ == "__main__":
    run(main)
