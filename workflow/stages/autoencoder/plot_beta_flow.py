"""Rule plot_beta_flow: β before and after each map, and the fixed points (figure 16)."""

from coarsegrain.figures.autoencoder.beta_flow import beta_flow
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, fixed_points: Input, exact: Input, pdf: Output, png: Output) -> None:
    """Plot measured β, fixed points and what the exact thermometers read."""
    save(beta_flow(*(read_table(path) for path in (table, fixed_points, exact))), pdf, png)


if __name__ == "__main__":
    run(main)
