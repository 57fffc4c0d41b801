"""Rule plot_samples_by_scale: a lattice of fields, and what flows pass on from it."""

from coarsegrain.figures.neuralrg.samples_by_scale import samples_by_scale
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Show one exact sample, decimated and as flows pass it on."""
    save(samples_by_scale(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
