"""The benchmark of Boltzmann machines: it runs, and its peer learns what ours learns."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from checkouts import PROJECT
from waiting import LIMIT

BENCHMARKS = PROJECT / "benchmarks"


@pytest.fixture
def machines(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import machines

    return machines


@pytest.mark.slow
def test_machines_benchmark_has_a_row_for_each_size_and_names_what_is_missing(tmp_path):
    file = tmp_path / "benchmarks.md"
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "machines.py", "--quick", "--write", file],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
    )
    assert done.returncode == 0, done.stderr
    for units in ("256 x 64", "1024 x 256"):
        assert re.search(rf"^\| {units} \| \*\*[\d,.]+ \[.*\]\*\* \|", done.stdout, re.M)
    for package, module in (("scikit-learn", "sklearn"), ("rbms", "rbms")):
        missing = f"Not measured: {package} (not installed)." in done.stdout
        assert missing == (find_spec(module) is None)
    assert done.stdout.strip() in file.read_text()


def test_plain_numpy_learns_the_means_of_its_data(machines):
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.2, 0.8, 12)
    batches = [(rng.random((100, 12)) < rates).astype(np.float32) for _ in range(20)]
    machines.LEARNING_RATE = 0.1
    step = machines.plain_numpy(batches, np.zeros((12, 3), np.float32))
    for k in range(600):
        step(k)
    cells = dict(zip(step.__code__.co_freevars, (each.cell_contents for each in step.__closure__)))
    # the peer's mean of its visible units: all states of the hidden ones
    hidden = (np.arange(8)[:, None] >> np.arange(3)) & 1
    fields = hidden @ cells["w"] + cells["a"]
    weights = np.exp(hidden @ cells["b"] + np.log1p(np.exp(fields)).sum(axis=1))
    means = (weights[:, None] / (1 + np.exp(-fields))).sum(axis=0) / weights.sum()
    # chains of 100 and rates of 0.1: means go about by some 0.02
    np.testing.assert_allclose(means, np.mean(batches, axis=(0, 1)), atol=0.08)
