"""Rule plot_gap_by_setting: gaps of flows over what the variants change."""

from coarsegrain.figures.neuralrg.gap_by_setting import gap_by_setting
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the table of all variants."""
    save(gap_by_setting(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
