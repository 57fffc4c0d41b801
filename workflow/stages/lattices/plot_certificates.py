"""Rule plot_certificates: every test of every set of lattices against β."""

from coarsegrain.figures.lattices.certificates import certificates
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the table of certificates."""
    save(certificates(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
