"""Rule collect_information: the tables of what all flows' latent variables have in common."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from coarsegrain.storage.tables import read_table, write_table
from pipeline.stage import Inputs, Output, run


def main(
    *,
    parts: Inputs,
    totals: Inputs,
    fields: Inputs,
    field_totals: Inputs,
    table: Output,
    total_table: Output,
) -> None:
    """Put what was measured of all flows into one table each, in the order given.

    What was measured of a member's fields, which all flows share, follows the rows of each flow.
    """
    write_table(table, _together(parts, fields))
    write_table(total_table, _together(totals, field_totals))


def _together(of_flows: Sequence[Path], of_fields: Sequence[Path]) -> pd.DataFrame:
    shared = pd.concat([read_table(path) for path in of_fields], ignore_index=True)
    tables = []
    for path in of_flows:
        table = read_table(path)
        first = table.iloc[0]
        of_member = shared[shared["member"] == first["member"]]
        shown = of_member.assign(flow=first["flow"]).reindex(columns=table.columns)
        tables += [table, shown]
    together: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return together


if __name__ == "__main__":
    run(main)
