"""Rule judge_variants: a verdict on every published claim, from this run and its variants."""

from coarsegrain.analysis.claim_variants import VARIANTS
from coarsegrain.analysis.claims import verdicts
from coarsegrain.analysis.claims_file import read_claims
from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, claims: Inputs, tables: Inputs, variants: Inputs, table: Output) -> None:
    """Judge claims as ``judge_claims`` does, also those about variants.

    ``variants`` are tables joined over variants; claims know them by the name of the file, without
    the ending, after ``variants/``.
    """
    listed = [claim for path in claims for claim in read_claims(path)]
    known = {path.stem: read_table(path) for path in tables}
    known |= {f"{VARIANTS}{path.stem}": read_table(path) for path in variants}
    write_table(table, verdicts(listed, known))


if __name__ == "__main__":
    run(main)
