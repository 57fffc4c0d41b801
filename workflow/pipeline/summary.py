"""What a run found: the verdict on each claim, and where all is."""

from pathlib import Path

from coarsegrain.analysis.claims_text import claims_text
from coarsegrain.storage.tables import read_table

# Below the results folder.
CLAIMS = Path("tables", "claims.csv")
#: The same, judged with variants, too.
CLAIMS_OF_ALL = Path("tables", "variants", "claims.csv")
COLUMNS = ("id", "claim", "published", "measured", "low", "high", "interval", "verdict")


def summary(results: Path, claims: Path = CLAIMS) -> str:
    """The claims with their verdicts and the paths of report, tables and figures, as text.

    Args:
        results: a preset's results folder, e.g. ``results/laptop``.
        claims: the table of claims in it.
    Raises:
        StorageError: a table is missing or damaged; the sentence names it.
    """
    lines = [claims_text(read_table(results / claims, COLUMNS)), ""]
    lines += [f"Report:  {results / 'report.html'}", f"Tables:  {results / 'tables'}"]
    lines += [f"Figures: {results / 'figures'}"]
    return "\n".join(lines)
