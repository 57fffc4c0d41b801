"""Print what a run found: the verdict on each claim, and where all is.

python -m pipeline.summary results/laptop
"""

import sys
from pathlib import Path

from coarsegrain.analysis.claims_text import claims_text
from coarsegrain.errors import StorageError
from coarsegrain.storage.tables import read_table
from pipeline.remedies import with_remedy

CLAIMS = ("id", "claim", "published", "measured", "low", "high", "verdict")


def summary(results: Path) -> str:
    """The claims with their verdicts and the paths of report, tables and figures, as text.

    Args:
        results: a preset's results folder, e.g. ``results/laptop``.
    Raises:
        StorageError: a table is missing or damaged; the sentence names it.
    """
    lines = [claims_text(read_table(results / "tables" / "claims.csv", CLAIMS)), ""]
    lines += [f"Report:  {results / 'report.html'}", f"Tables:  {results / 'tables'}"]
    lines += [f"Figures: {results / 'figures'}"]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        print(summary(Path(sys.argv[1])))
    except StorageError as error:
        sys.exit(f"error: {with_remedy(error)}")
