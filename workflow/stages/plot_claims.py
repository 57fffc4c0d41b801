"""Rule plot_claims: published claims beside what was measured, with verdicts."""

from coarsegrain.figures.claims import claims
from coarsegrain.figures.style import save
from coarsegrain.storage.tables import read_table
from pipeline.stage import Input, Output, run


def main(*, table: Input, pdf: Output, png: Output) -> None:
    """Plot the table of verdicts, in its order."""
    save(claims(read_table(table)), pdf, png)


if __name__ == "__main__":
    run(main)
