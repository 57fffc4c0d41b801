"""The benchmark of flows runs; tests in ``flows/`` show that its peers are right."""

import os
import re
import subprocess
import sys

import pytest

from checkouts import PROJECT
from waiting import LIMIT


@pytest.mark.slow
def test_flows_benchmark_has_a_row_for_each_flow_and_gradient(tmp_path):
    file = tmp_path / "benchmarks.md"
    done = subprocess.run(
        [sys.executable, PROJECT / "benchmarks" / "flows.py", "--quick", "--write", file],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
    )
    assert done.returncode == 0, done.stderr
    for flow, gradient in (("sublattices", "path"), ("sublattices", "full"), ("patches", "full")):
        row = rf"^\| {flow}, L = 4, 32 samples, {gradient} \| "
        rates = r"\*\*[\d,.]+ \[.*\]\*\* \| [\d,.]+ \[.*\] \|"
        assert re.search(row + rates, done.stdout, re.M)
    assert done.stdout.strip() in file.read_text()
