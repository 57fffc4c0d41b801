"""Rule plot_loss_floors: what models lose beside linear codes without any training."""

from coarsegrain.figures.autoencoder.loss_floors import loss_floors
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, Spec, run


def main(*, floors: Input, amplitudes: Input, pdf: Output, png: Output, spec: Spec) -> None:
    """Plot losses of linear codes and of models, by the size of the code and side by side.

    Spec: ranks, by model the numbers in its code.
    """
    save(loss_floors(read_table(floors), read_table(amplitudes), spec["ranks"]), pdf, png)


if __name__ == "__main__":
    run(main)
