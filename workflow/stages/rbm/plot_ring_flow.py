"""Rule plot_ring_flow: the learned flow of the 1D coupling beside the exact one."""

from coarsegrain.figures.rbm.ring_flow import ring_flow
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the learned flow."""
    save(ring_flow(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
