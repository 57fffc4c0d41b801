"""Rule plot_coverage: what flows leave out."""

from coarsegrain.figures.neuralrg.coverage import coverage
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the distributions of ln p/q."""
    save(coverage(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
