"""Rule collect_certificates: one table of every test of every set of lattices."""

import re
from typing import Any

import pandas as pd

from coarsegrain.storage.json_files import read_json
from coarsegrain.storage.refusal import refusal
from coarsegrain.storage.tables import write_table
from pipeline.stage import Input, Inputs, Output, run

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ ,./²^()+-]*")


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


def read_certificate(path: Input) -> dict[str, Any]:
    """A certificate as ``certify_lattices`` wrote it.

    Raises:
        StorageError: the file is missing, damaged or no certificate; the sentence names it.
    """
    record: dict[str, Any] = read_json(path)
    numbers = {"beta_min", "beta_max", "statistic", "p_value", "score"}
    try:
        good = is_name(record["set"]) and is_number(record["level_per_test"]) and all(
            is_name(test["name"])
            and isinstance(test["passed"], bool)
            and all(is_number(test[key]) for key in numbers)
            for test in record["tests"]
        )  # fmt: skip
    except (KeyError, TypeError):
        good = False
    if not good or not record["tests"]:
        raise refusal(path, "is no certificate of a set of lattices")
    return record


def is_name(value: object) -> bool:
    """Whether it may name a set or a test, in a table that people open in other programs."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_number(value: object) -> bool:
    """Whether it is a number; JSON's other values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


if __name__ == "__main__":
    run(main)
