"""Print what a run found: the losses, the fixed points, and where the report is.

python -m pipeline.summary results/laptop
"""

import sys
from pathlib import Path

from coarsegrain.errors import StorageError
from coarsegrain.storage.tables import read_table
from pipeline.remedies import with_remedy

MODELS = ("Model-1", "Model-2", "Model-2-CG", "Model-3", "Model-3-HCG", "AE-WR")

LOSSES = ("model", "member", "split", "hinge", "objective", "spin_accuracy")


def summary(results: Path) -> str:
    """The losses, the fixed points and the report's path, as text.

    Args:
        results: a preset's results folder, e.g. ``results/laptop``.
    Raises:
        StorageError: a table is missing or damaged; the sentence names it.
    """
    losses = read_table(results / "tables" / "model_losses.csv", LOSSES)
    fixed_points = read_table(results / "tables" / "beta_fixed_point.csv")
    members = losses["member"].nunique()
    lines = [f"Losses on test lattices (mean ± standard deviation of {members} members)", ""]
    lines.append(f"  {'model':<12} {'hinge':>17} {'objective':>17} {'spins recovered':>17}")
    test = losses[losses["split"] == "test"]
    for model in MODELS:
        rows = test[test["model"] == model]
        cells = [
            f"{rows[column].mean():.4f} ± {rows[column].std():.4f}"
            for column in ("hinge", "objective", "spin_accuracy")
        ]
        lines.append(f"  {model:<12} " + " ".join(f"{cell:>17}" for cell in cells))
    lines += ["", "Fixed points of the flow of beta (with 95 % bootstrap interval)", ""]
    for source, star, low, high in fixed_points.to_numpy().tolist():
        interval = f"[{low:.4f}, {high:.4f}]" if low != high else ""
        lines.append(f"  {source:<26} {star:.5f} {interval}".rstrip())
    lines += ["", f"Report:  {results / 'report.html'}", f"Tables:  {results / 'tables'}"]
    lines += [f"Figures: {results / 'figures'}"]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        print(summary(Path(sys.argv[1])))
    except StorageError as error:
        sys.exit(f"error: {with_remedy(error)}")
