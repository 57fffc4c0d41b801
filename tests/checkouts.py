"""Where the project is, and a copy of it that a test may run and edit."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def stages(folder):
    """The modules of all stages of a checkout."""
    workflow = folder / "workflow"
    found = sorted((workflow / "stages").rglob("[a-z]*.py"))
    return [".".join(path.relative_to(workflow).with_suffix("").parts) for path in found]


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
