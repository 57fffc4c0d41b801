"""Snakemake's persistence, with the sidecars in the place of its own notes.

Snakemake (9.27) knows from ``.snakemake/`` how an output was made. It forgets when that folder is
lost or the results are copied, it compares times, and it never looks at an output's bytes. For jobs
that run stages this class answers from the sidecars instead; for all other jobs, such as those of a
workflow that imports this one, Snakemake's own notes hold.

Snakemake asks for changes of ``params`` only after it has found no other reason to run a job, jobs
that come first first. So of every job one question is left: do its outputs' records still hold?
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from snakemake import workflow as snakemake_workflow
from snakemake.dag import DAG
from snakemake.exceptions import WorkflowError
from snakemake.persistence.file import FilePersistence

from pipeline.job_list import job_from, runs_a_stage
from pipeline.parsed_modules import remember
from pipeline.sidecars import SIDECAR
from pipeline.staleness.checksums import RememberedChecksums
from pipeline.staleness.judgement import Judge
from pipeline.staleness.locks import RESULTS, RunLocks


def judge_by_sidecars(results: str, *, plans: bool) -> None:
    """Have Snakemake, in this process, take its decisions from the sidecars.

    Args:
        results: the results folder; of every import its own.
        plans: whether this process decides what to run; else it was started to run one job.
    Raises:
        WorkflowError: this version of Snakemake is built in another way.
    """
    RESULTS.add(results)
    DAG.check_output_mtime = check_times
    if not plans:
        return
    found = getattr(snakemake_workflow, "FilePersistence", None)
    if found is FilePersistence:
        snakemake_workflow.FilePersistence = Sidecars
    elif not (isinstance(found, type) and issubclass(found, Sidecars)):
        raise WorkflowError(
            "This version of Snakemake keeps its records in another way than coarsegrain knows: "
            "stale results could go unnoticed. Install the one in envs/requirements.lock."
        )
    DAG.bfs = waiting_jobs


_BFS = DAG.bfs


def waiting_jobs(
    dag: Any, direction: Any, *jobs: Any, stop: Any = lambda job: False
) -> Iterator[Any]:
    """A graph's jobs after ``jobs``, but for those that wait only for ancient files that are there.

    Snakemake does not ask whether a job is stale if one that it follows must run: then it runs
    anyway. Through an ancient file it does not, so it went unasked and stayed stale
    (snakemake/snakemake#4166).
    """
    if direction is not dag.depending:
        yield from _BFS(dag, direction, *jobs, stop=stop)
        return
    todo = list(jobs)
    found = set(todo)
    for job in todo:  # grows
        if stop(job):
            continue
        yield job
        for after, files in direction[job].items():
            waits = not all(file.is_ancient and os.path.lexists(file) for file in files)
            if waits and after not in found:
                found.add(after)
                todo.append(after)


_CHECK_TIMES = DAG.check_output_mtime


async def check_times(dag: Any, job: Any, outputs: Any) -> None:
    """Snakemake's refusal of outputs older than inputs, for jobs that do not run a stage.

    It would make such outputs again in the next run; for ours times decide nothing. Clocks of a
    cluster's nodes differ, and a restored file may be from the future.
    """
    if not runs_a_stage(job):
        await _CHECK_TIMES(dag, job, outputs)


class Reasons:
    """Why a job must run again, as Snakemake prints it; true if there is a reason."""

    def __init__(self, clauses: dict[str, list[str]]) -> None:
        """``clauses``: of every stale output, by path."""
        self._clauses = clauses

    def __bool__(self) -> bool:
        """Whether there is a reason."""
        return bool(self._clauses)

    def __iter__(self) -> Iterator[str]:
        """The stale outputs."""
        return iter(self._clauses)

    def __str__(self) -> str:
        """All reasons, each once."""
        told = {"; ".join(clauses) for clauses in self._clauses.values()}
        return " / ".join(sorted(told))


class Sidecars(RunLocks):
    """What Snakemake remembers, from the sidecars."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # the content of a newer input decides, however large it is (Snakemake: up to 1 MB)
        if self.dag is not None:
            self.dag.max_checksum_file_size = sys.maxsize
        self._checksums = RememberedChecksums(Path(self.path, "checksums.json"))
        self._judged: dict[Any, Reasons | None] = {}

    def has_metadata(self, job: Any) -> bool:
        """Whether it can be said how a job's outputs were made: our sidecars say it or say no."""
        return self._reasons(job) is not None or bool(super().has_metadata(job))

    def has_outdated_metadata(self, job: Any) -> bool:
        """Whether they are of an older version of Snakemake."""
        return self._reasons(job) is None and bool(super().has_outdated_metadata(job))

    def params_changed(self, job: Any, file: Any = None) -> Any:
        """Why a job must run again. All there is to say is said here."""
        reasons = self._reasons(job)
        if reasons is None:
            return super().params_changed(job, file=file)
        return reasons if file is None else str(file) in set(reasons)

    def input_changed(self, job: Any, file: Any = None) -> Any:
        """Snakemake's own question whether a job has other inputs."""
        return self._unless_judged(super().input_changed, job, file)

    def code_changed(self, job: Any, file: Any = None) -> Any:
        """Snakemake's own question whether a rule's command changed."""
        return self._unless_judged(super().code_changed, job, file)

    def software_stack_changed(self, job: Any, file: Any = None) -> Any:
        """Snakemake's own question whether a conda environment changed."""
        return self._unless_judged(super().software_stack_changed, job, file)

    async def incomplete(self, job: Any) -> list[Any]:
        """Outputs that a killed job may have left half-written: stages never do."""
        return [] if self._reasons(job) is not None else list(await super().incomplete(job))

    def input_checksums(self, job: Any, input_path: Any) -> set[str]:
        """The checksums at which an input counts as unchanged, whatever its time."""
        if self._reasons(job) is None:
            return set(super().input_checksums(job, input_path))
        try:
            return {f"sha256:{self._checksums.of(str(input_path))}"}
        except OSError:
            return set()

    def _unless_judged(self, question: Any, job: Any, file: Any) -> Any:
        if self._reasons(job) is None:
            return question(job, file=file)
        return [] if file is None else False

    def _reasons(self, job: Any) -> Reasons | None:
        """Why a job must run again; None if it is not one of a stage of ours."""
        key = (job.rule.name, *job.output)
        if key not in self._judged:
            self._judged[key] = self._judge(job)
        return self._judged[key]

    def _judge(self, job: Any) -> Reasons | None:
        if not runs_a_stage(job):
            return None
        there = [str(path) for path in job.output if os.path.lexists(path)]
        if not there:  # what is missing Snakemake makes if it is needed
            return Reasons({})
        made = job_from(job)
        clauses = {
            path: self._judge_of_files.judge(path, made)[1]
            for path in there
            if not path.endswith(SIDECAR)
        }
        return Reasons({path: why for path, why in clauses.items() if why})

    @cached_property
    def _judge_of_files(self) -> Judge:
        makers = {str(path): job for job in self.dag.jobs for path in job.output}
        return Judge(makers, self._checksums, as_job=job_from)

    @contextmanager
    def lock_warn_only(self) -> Iterator[None]:
        """In a dry run: tell of another run, no more."""
        self._keep_for_later()
        with super().lock_warn_only():
            yield

    @contextmanager
    def lock(self) -> Iterator[None]:
        """In a run: as RunLocks."""
        self._keep_for_later()
        with super().lock():
            yield

    def _keep_for_later(self) -> None:
        """Leave what was worked out here to jobs and to the next run."""
        self._checksums.keep()
        remember()
