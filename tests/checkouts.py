"""Where the project is, and a copy of it that a test may run and edit."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator

from waiting import LIMIT

PROJECT = Path(__file__).resolve().parent.parent
KERNELS = ".snakemake/kernels"


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

    def copied(self, path):
        """A copy with its results and its compiled kernels, to go on from."""
        shutil.copytree(self.path, path, symlinks=True)
        shutil.rmtree(path / KERNELS, ignore_errors=True)
        copy = Checkout(path)
        copy.take_kernels(self)
        return copy

    def take_kernels(self, other):
        """Take what was compiled in another checkout of the same code, not to wait for it again.

        numba names a folder of kernels after the place of the code that they were compiled from.
        """
        named = UserProvidedCacheLocator.get_suitable_cache_subpath
        there, here = other.path.resolve(), self.path.resolve()
        for module in there.glob("workflow/**/__init__.py"):
            for kernels in (other.path / KERNELS).glob(f"*/{named(module)}"):
                place = self.path / KERNELS / kernels.parent.name
                theirs = place / named(here / module.relative_to(there))
                shutil.copytree(kernels, theirs, dirs_exist_ok=True)

    def take_second_members(self, other, results="results/smoke"):
        """Take the lattices and nets of the second members from another checkout's smoke run.

        They would double the jobs of a run, and no rule is theirs alone.

        Args:
            results: this checkout's folder of results.
        """
        for folder in ("lattices", "certificates", "nets"):
            for path in (other.path / "results/smoke").rglob(f"{folder}/**/*member-1.*"):
                if path.is_file():
                    place = self.path / results / path.relative_to(other.path / "results/smoke")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, place)
                    if path.name.endswith(".prov.json"):
                        place.write_text(path.read_text().replace("results/smoke/", f"{results}/"))

    def snakemake(self, *arguments, variables=None):
        """Run snakemake here; the answer's ``stdout`` holds all it printed."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.run(
            command,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
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
