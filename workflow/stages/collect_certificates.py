"""Rule collect_certificates: one table of every test of every set of lattices."""

import json

import pandas as pd

from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run


def main(*, certificates: Inputs, table: Output) -> None:
    """Join certificates: set, test, range of β, statistic, p-value, score, verdict."""
    rows = [
        {
            "set": record["set"],
            "test": test["name"],
            "beta_min": test["beta_min"],
            "beta_max": test["beta_max"],
            "statistic": test["statistic"],
            "p_value": test["p_value"],
            "score": test["score"],
            "level": record["level_per_test"],
            "passed": test["passed"],
        }
        for record in map(read_certificate, certificates)
        for test in record["tests"]
    ]
    write_table(table, pd.DataFrame(rows))


def read_certificate(path: Input) -> dict:
    """A certificate as ``certify_lattices`` wrote it."""
    return json.loads(path.read_text())


if __name__ == "__main__":
    run(main)
