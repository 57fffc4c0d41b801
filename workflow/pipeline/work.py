"""How much work a job is: what its time grows with, beside the start that every job has.

A study tells it for its stages, and how to make its config small; see ``StudyWork``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coarsegrain.errors import StorageError
from coarsegrain.storage.json_files import read_json
from pipeline.job_list import Job
from pipeline.sidecars import sidecar_path


@dataclass(frozen=True)
class Work:
    """The work of a job.

    Attributes:
        amount: in a unit of the stage's own: only ratios count.
        kind: jobs of one kind take equally long per unit; of several kinds, about equally long.
        group: jobs of one rule that have more in common than with others of it.
        at_most: whether the job may end before all of it is done.
        bytes: of large outputs.
    """

    amount: float = 1.0
    kind: str = ""
    group: str = ""
    at_most: bool = False
    bytes: float = 0.0


def group_of(job: Job, work: Work) -> str:
    """What a job is compared with: others of its rule, or of its group there."""
    return f"{job.rule} {work.group}".rstrip()


@dataclass(frozen=True)
class Task:
    """What decides the work of a job.

    Attributes:
        stage: its module, without the package: ``lattices.sample_shard``.
        spec: what it computes.
        facts: what it learned while it ran; empty for a job that is planned.
        sources: what makes its inputs, in their order, each once.
    """

    stage: str
    spec: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence["Task"] = ()


@dataclass(frozen=True)
class StudyWork:
    """What the estimate must know of a study.

    Attributes:
        amounts: the work of a task, by its stage. That of other stages is the same for all configs.
        small: changes to the config, given all tasks, after which every job takes seconds, if the
            config asks for more, most of them for the work that is to be measured.
    """

    amounts: Mapping[str, Callable[[Task], Work]]
    small: Callable[[Sequence[Task]], Mapping[str, Any]]


def planned(jobs: Sequence[Job]) -> list[Task]:
    """The jobs as they would run now."""
    return _linked(jobs, lambda job: {"spec": job.spec})


def done(jobs: Sequence[Job]) -> list[Task]:
    """The jobs as their first outputs' sidecars say that they ran; as planned if there is none."""

    def sidecar(job: Job) -> Mapping[str, Any]:
        try:
            told = read_json(sidecar_path(Path(job.outputs[0])))
        except (StorageError, IndexError):
            told = None
        readable = isinstance(told, dict) and isinstance(told.get("spec"), dict)
        return told if readable else {"spec": job.spec}

    return _linked(jobs, sidecar)


def _linked(jobs: Sequence[Job], told_of: Callable[[Job], Mapping[str, Any]]) -> list[Task]:
    maker = {path: k for k, job in enumerate(jobs) for path in job.outputs}
    tasks: dict[int, Task] = {}

    def task(k: int) -> Task:
        if k not in tasks:
            makers = dict.fromkeys(maker[path] for path in jobs[k].inputs if path in maker)
            told = told_of(jobs[k])
            stage = (jobs[k].stage or "").removeprefix("stages.")
            tasks[k] = Task(stage, told["spec"], told, [task(each) for each in makers])
        return tasks[k]

    return [task(k) for k in range(len(jobs))]
