"""Where the project is, and a copy of it that a test may run and edit."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# One numeric thread, as the pipeline has by default: with more, tests side by side get slow.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

# The same examples on every run: a failure is then the change's, not chance's.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.load_profile("repeatable")

PROJECT = Path(__file__).resolve().parent.parent
# Python imports it in every job, from workflow/ of a copy.
RECORDER = PROJECT / "tests" / "staleness" / "recorder" / "sitecustomize.py"


@dataclass(frozen=True)
class Checkout:
    """A copy of the project, with its own results."""

    path: Path

    @classmethod
    def at(cls, path):
        ignored = shutil.ignore_patterns("__pycache__", "*.partial-*")
        for name in ("workflow", "profiles", "envs"):
            shutil.copytree(PROJECT / name, path / name, ignore=ignored)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(PROJECT / name, path / name)
        return cls(path)

    def snakemake(self, *arguments, timeout=600, variables=None):
        """Run snakemake here; the answer's ``stdout`` holds all it printed."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.run(
            command,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **(variables or {})},
        )

    def smoke(self, *arguments, changes=(), **options):
        """Run the smoke preset here, with files of ``changes`` laid over it."""
        files = [PROJECT / "workflow" / "presets" / "smoke.yaml", *changes]
        return self.snakemake(*arguments, "--configfile", *map(str, files), **options)

    def tables(self, results="results/smoke"):
        """The bytes of every table, by name."""
        folder = self.path / results / "tables"
        return {table.name: table.read_bytes() for table in sorted(folder.glob("*.csv"))}


@pytest.fixture
def checkout(tmp_path):
    return Checkout.at(tmp_path)


@pytest.fixture(scope="session")
def recorded_smoke_run(tmp_path_factory):
    """A checkout in which the smoke preset has run, and a folder of what its jobs really did."""
    done = Checkout.at(tmp_path_factory.mktemp("smoke"))
    records = tmp_path_factory.mktemp("records")
    recorder = done.path / "workflow" / RECORDER.name
    shutil.copy(RECORDER, recorder)
    run = done.smoke(variables={"COARSEGRAIN_RECORDING": str(records)})
    recorder.unlink()
    assert run.returncode == 0, run.stdout
    return done, records


@pytest.fixture(scope="session")
def smoke_run(recorded_smoke_run):
    """A checkout in which the smoke preset has run, for tests that leave it as it is."""
    return recorded_smoke_run[0]
