"""Rule plot_exponents: the exponents of every map, by step."""

from coarsegrain.figures.rbm.exponents import exponents
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, verdicts: Input, pdf: Output, png: Output) -> None:
    """Plot y_T, y_H and matching of all maps."""
    save(exponents(read_table(table), read_table(verdicts)), pdf, png)


if __name__ == "__main__":
    run(main)
