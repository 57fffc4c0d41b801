"""Rule plot_receptive_fields: pictures of hidden units of several machines."""

from coarsegrain.figures.rbm.receptive_fields import receptive_field_pictures
from coarsegrain.figures.style import save
from coarsegrain.rbm.machine import read_machine
from coarsegrain.rbm.receptive_fields import receptive_fields
from pipeline.stage import Inputs, Output, Spec, run


def main(*, machines: Inputs, pdf: Output, png: Output, spec: Spec) -> None:
    """Draw units of every machine in a row.

    Spec: words, for each file; units, pictures in a row.
    """
    fields = {
        words: receptive_fields(read_machine(path)[0])
        for words, path in zip(spec["words"], machines, strict=True)
    }
    save(receptive_field_pictures(fields, spec["units"]), pdf, png)


if __name__ == "__main__":
    run(main)
