"""Rule plot_patterns: how latent variables respond to the fields."""

from coarsegrain.figures.neuralrg.patterns import patterns
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the gradient patterns of all flows by scale."""
    save(patterns(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
