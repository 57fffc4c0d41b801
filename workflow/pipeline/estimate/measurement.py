"""Short measurements, for jobs of which no records tell."""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from coarsegrain.errors import CoarsegrainError
from coarsegrain.storage.json_files import read_json
from pipeline.config_file import read_config_file
from pipeline.estimate.records import Record, records
from pipeline.estimate.schedule import dependencies
from pipeline.job_list import Job, list_jobs
from pipeline.work import Task, Work, group_of, planned


@cache
def start_of(stage: str | None) -> float:
    """Seconds of the processor that a stage's start takes: Python's, and all imports."""
    program = ["-m", stage, "--help"] if stage else ["-c", ""]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *program], stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def small_run(
    arguments: Sequence[str],
    changes: Mapping[str, Any],
    groups: Collection[str],
    work_of: Callable[[Task], Work],
    cores: int,
) -> list[Record]:
    """Run the largest job of every group, and what they need, with a config made small, elsewhere.

    Args:
        arguments: of the run that is estimated; its configs count.
        changes: that make its config small.
        groups: to measure (see ``group_of``).
        work_of: tells the work of a task.
        cores: to use.
    Raises:
        CoarsegrainError: a job failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        config, results = folder / "small.yaml", folder / "results"
        config.write_text(yaml.safe_dump(dict(changes)))
        asked = ["--cores", str(cores), *_configured(arguments, config, results)]
        jobs = list_jobs(asked)
        targets = largest(jobs, [work_of(task) for task in planned(jobs)], groups)
        if targets:
            _run_in(folder, [*targets, *asked])
        return records(jobs, work_of)[0]


def largest(jobs: Sequence[Job], works: Sequence[Work], groups: Collection[str]) -> list[str]:
    """An output of the largest job of every group; of equal ones, that which needs fewest."""
    needs = dependencies(jobs)
    needed: set[int] = set()

    def missing(k: int) -> set[int]:
        """The job and those before it, but for those that are needed anyway."""
        found, left = {k} - needed, [k]
        while left:
            new = needs[left.pop()] - found - needed
            found |= new
            left += new
        return found

    chosen = []
    for group in groups:
        those = [k for k, job in enumerate(jobs) if group_of(job, works[k]) == group]
        if those:
            best = max(those, key=lambda k: (works[k].amount, -len(missing(k))))
            needed |= missing(best)
            chosen.append(jobs[best].outputs[0])
    return chosen


def jobs_of(results: Path) -> list[Job]:
    """The jobs that made a folder of results, from the config that their report kept there.

    Raises:
        CoarsegrainError: that config is not one of this version's.
    """
    with tempfile.TemporaryDirectory() as folder:
        # As YAML, which does not take JSON's 1e-05 for a number.
        config = Path(folder, "config.yaml")
        config.write_text(yaml.safe_dump(read_json(results / "config.json")))
        read_config_file(config)  # refuses code, which Snakemake would run
        return list_jobs(["--cores", "1", *_configured([], config, results)])


def _configured(arguments: Sequence[str], last: Path, results: Path) -> list[str]:
    """The config of a call of snakemake, with a file laid over it and other results."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    given = parser.parse_known_args(list(arguments))[0]
    files = [str(Path(each).resolve()) for each in (*given.configfile, last)]
    return ["--configfile", *files, "--config", *given.config, f"results_dir={results}"]


def _run_in(folder: Path, arguments: Sequence[str]) -> None:
    """Run snakemake in a folder of its own, with the kernels that are compiled already.

    Raises:
        CoarsegrainError: it failed; the text is what it said last.
    """
    shutil.copy("config.yaml", folder)
    kernels = Path(".snakemake", "kernels").resolve()
    kernels.mkdir(parents=True, exist_ok=True)
    (folder / ".snakemake").mkdir()
    (folder / ".snakemake" / "kernels").symlink_to(kernels)
    command = [sys.executable, "-m", "snakemake", *arguments]
    command += ["--snakefile", str(Path("Snakefile").resolve()), "--directory", str(folder)]
    with (folder / "snakemake.log").open("w+") as log:
        run = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            status = run.wait()
        except KeyboardInterrupt:  # Snakemake gets it too, and ends its jobs
            run.wait()
            raise
        if status:
            log.seek(0)
            raise CoarsegrainError(f"the measurement failed:\n{log.read()[-2000:].strip()}")
