"""Rule judge_claims: a verdict on every published claim, from the tables of this run."""

from coarsegrain.analysis.claims import verdicts
from coarsegrain.analysis.claims_file import read_claims
from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(*, claims: Inputs, tables: Inputs, table: Output) -> None:
    """Judge the claims of the files given, in this order, by tables that they know by name.

    A table's name is its file's, without the ending.
    """
    listed = [claim for path in claims for claim in read_claims(path)]
    write_table(table, verdicts(listed, {path.stem: read_table(path) for path in tables}))


if __name__ == "__main__":
    run(main)
