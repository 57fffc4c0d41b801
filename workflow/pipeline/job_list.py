"""Which jobs a run would have: Snakemake's own graph, with the spec of each job.

Snakemake makes a dry run in a process of its own (``dry_run``), which locks nothing and leaves no
trace here, so another run may go on.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coarsegrain.errors import CoarsegrainError


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
        stage: the stage's module, as ``stages.lattices.sample_shard``; None if it runs none.
        spec: what the stage is to compute.
        code: digest of its code.
        options: the files that the stage is given, by its parameter: ``{"lattices": ["….nc"]}``.
        benchmark: the file in which Snakemake notes what it took, if its rule has one.
        pending: whether it is still to do.
    """

    rule: str
    wildcards: Mapping[str, str]
    inputs: Sequence[str]
    outputs: Sequence[str]
    threads: int
    memory_mb: int
    stage: str | None = None
    spec: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    options: dict[str, list[str]] = field(default_factory=dict)
    benchmark: str | None = None
    pending: bool = True


def list_jobs(arguments: Sequence[str]) -> list[Job]:
    """The jobs of a run of snakemake with ``arguments`` in this folder, done or not.

    Returns:
        Each job after those that make its inputs. Rules that only name files have none.
    Raises:
        DryRunError: snakemake refuses to run.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-m", "pipeline.dry_run", folder, *arguments],
            env={**os.environ, "PYTHONPATH": str(Path("workflow").resolve())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )
        path = Path(folder, "jobs.json")
        if run.returncode or not path.is_file():
            raise DryRunError(run.stdout.strip())
        return [Job(**each) for each in json.loads(path.read_text())]


def runs_a_stage(job: Any) -> bool:
    """Whether a job of Snakemake's graph runs a stage; another workflow's own jobs do not."""
    return {"stage", "spec", "code"} <= set(job.rule.params.keys())


def job_from(job: Any, *, pending: bool = True) -> Job:
    """A job of Snakemake's graph as data."""
    stage: dict[str, Any] = {}
    if runs_a_stage(job):
        stage = {
            "stage": f"stages.{job.params.stage}",
            "spec": json.loads(job.params.spec),
            "code": job.params.code,
            "options": {
                option: [str(each) for each in ([files] if isinstance(files, str) else files)]
                for option, files in (*job.input.items(), *job.output.items())
                if option != "waits_for"
            },
        }
    memory = job.resources.get("mem_mb")
    return Job(
        rule=job.rule.name,
        wildcards=dict(job.wildcards_dict),
        inputs=[str(each) for each in job.input],
        outputs=[str(each) for each in job.output],
        threads=int(job.threads),
        memory_mb=memory if isinstance(memory, int) else 0,  # it may depend on files to be made
        benchmark=str(job.benchmark) if job.benchmark else None,
        pending=pending,
        **stage,
    )
