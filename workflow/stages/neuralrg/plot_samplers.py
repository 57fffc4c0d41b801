"""Rule plot_samplers: what an independent lattice costs, by sampler."""

from coarsegrain.figures.neuralrg.samplers import samplers
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot ⟨m²⟩ and evaluations per independent sample of every sampler."""
    save(samplers(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
