"""Which jobs a run would have: Snakemake's own list, with the spec of each.

Snakemake makes two dry runs, of all jobs and of those still to do, in a process of their own, and
tells of every job to Python's logging. Nothing is locked or written, so another run may go on.
"""

import json
import logging
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from coarsegrain.errors import CoarsegrainError

# What runs a stage in a command.
STAGE = re.compile(r"\bpython -m (stages\.[\w.]+)")
# Where the words that a job's command gives to its stage end.
REDIRECTIONS = (">", "&&", "|", "2>&1")


class DryRunError(CoarsegrainError):
    """Snakemake would not run; the text is what it says."""


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes:
        rule: its rule.
        wildcards: by name.
        inputs: files.
        outputs: files.
        threads: that it occupies.
        memory_mb: that its rule declares, MB.
        command: of the shell.
        pending: whether it is still to do.
        benchmark: the file in which Snakemake notes what it took, if its rule has one.
    """

    rule: str
    wildcards: Mapping[str, str]
    inputs: Sequence[str]
    outputs: Sequence[str]
    threads: int
    memory_mb: int
    command: str
    pending: bool = True
    benchmark: str | None = None

    @cached_property
    def options(self) -> dict[str, list[str]]:
        """What the command gives to the stage: ``{"lattices-in": ["….nc"], …}``."""
        found: dict[str, list[str]] = {}
        words: list[str] = []
        for word in shlex.split(self.command):
            if word in REDIRECTIONS:
                break
            if word.startswith("--"):
                words = found.setdefault(word[2:], [])
            else:
                words.append(word)
        return found

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The spec, or ``{}`` if the rule has none."""
        given = self.options.get("spec")
        return dict(json.loads(given[0])) if given else {}

    @property
    def stage(self) -> str | None:
        """The stage's module, as ``stages.autoencoder.beta_flow``; None if it runs none."""
        found = STAGE.search(self.command)
        return found[1] if found else None


def list_jobs(arguments: Sequence[str]) -> list[Job]:
    """The jobs of a run of snakemake with ``arguments`` in this folder; rules without command not.

    Raises:
        DryRunError: snakemake refuses to run.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "jobs.json")
        run = subprocess.run(
            [sys.executable, "-m", "pipeline.job_list", str(path), *arguments],
            env={**os.environ, "PYTHONPATH": str(Path("workflow").resolve())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )
        if run.returncode or not path.is_file():
            raise DryRunError(run.stdout.strip())
        return [Job(**each) for each in json.loads(path.read_text())]


class _Listener(logging.Handler):
    """Keeps what Snakemake tells of its jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = record.__dict__
        if getattr(told.get("event"), "name", "") != "JOB_INFO" or not told["shellcmd"]:
            return
        self.jobs.append(
            Job(
                rule=told["rule_name"],
                wildcards={key: str(value) for key, value in told["wildcards"].items()},
                inputs=_paths(told["input"]),
                outputs=_paths(told["output"]),
                threads=int(told["threads"]),
                memory_mb=int(dict(told["resources"].items()).get("mem_mb", 0)),
                command=told["shellcmd"],
                benchmark=told["benchmark"],
            )
        )


def _paths(told: Iterable[object]) -> list[str]:
    """Plain paths: Snakemake marks some, as ``file (ancient)``."""
    return [str(each).partition(" (")[0] for each in told]


def _dry_run(arguments: Sequence[str]) -> tuple[list[Job], int]:
    from snakemake.cli import main as snakemake

    listener = _Listener()
    # Snakemake clears the handlers of its own logger, so listen one level above.
    logger = logging.getLogger("snakemake")
    logger.addHandler(listener)
    status = 0
    try:
        # Before what the caller wants: after a target or "--" these would be targets.
        snakemake(["--dry-run", "--nolock", "--quiet=host", *arguments])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        logger.removeHandler(listener)
    return listener.jobs, status


def main(arguments: Sequence[str]) -> int:
    """Write the jobs of a run with ``arguments[1:]`` to the file ``arguments[0]``."""
    every, status = _dry_run(["--forceall", *arguments[1:]])
    if status:
        return status
    pending, status = _dry_run(arguments[1:])
    if status:
        return status
    to_do = {(job.rule, tuple(job.outputs)) for job in pending}
    jobs = [{**asdict(job), "pending": (job.rule, tuple(job.outputs)) in to_do} for job in every]
    Path(arguments[0]).write_text(json.dumps(jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
