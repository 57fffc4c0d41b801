"""What every job of a run will take: from its own records, from others', or by a measurement."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from pipeline.estimate.measurement import jobs_of, small_run, start_of
from pipeline.estimate.prediction import Cost, predict
from pipeline.estimate.records import Record, records
from pipeline.job_list import Job
from pipeline.studies.work import WORK, work_of
from pipeline.work import Work, group_of, planned


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    Attributes:
        works: of every job.
        costs: of every job.
        load: jobs that waited for a core while a measurement was made; None if none was made.
        left_out: benchmark files and folders that could not be read, and why.
    """

    works: Sequence[Work]
    costs: Sequence[Cost]
    load: float | None = None
    left_out: Sequence[str] = field(default_factory=list)


def estimated(
    jobs: Sequence[Job],
    results: Path,
    arguments: Sequence[str],
    cores: int,
    tell: Callable[[str], None],
) -> Estimate:
    """What jobs will take.

    Each question is asked only for jobs that the one before leaves open: what jobs of this folder
    took; what those of folders beside it took; what a small run takes, for rules of several jobs
    whose work depends on the config; how long one stage takes to start.

    Args:
        jobs: of the run.
        results: its folder.
        arguments: for snakemake.
        cores: to measure on.
        tell: is told what goes on.
    Raises:
        CoarsegrainError: a measurement failed.
    """
    tasks = planned(jobs)
    works = [work_of(task) for task in tasks]
    groups = [group_of(job, work) for job, work in zip(jobs, works)]
    number = Counter(groups)
    costs: list[Cost | None] = [None] * len(jobs)
    known: list[Record] = []
    left_out: list[str] = []

    def is_open(k: int) -> bool:
        cost = costs[k]
        return cost is None or not cost.trusted

    def learn(found: Sequence[Record], basis: str, about: Collection[str]) -> None:
        have = {each.path for each in known}
        known.extend(each for each in found if each.path not in have)
        for k, job in enumerate(jobs):
            if is_open(k) and groups[k] in about:
                start = partial(start_of, job.stage)
                told = predict(job.benchmark, groups[k], works[k], known, start, basis)
                costs[k] = told or costs[k]

    def read(made: Sequence[Job], basis: str) -> None:
        found, damaged = records(made, work_of)
        left_out.extend(f"{path} is no benchmark file of this version's" for path in damaged)
        learn(found, basis, number)

    read(jobs, "records")
    for config in sorted(results.parent.glob("*/config.json")):
        if any(map(is_open, range(len(jobs)))):
            tell(f"reading the records in {config.parent}")
            try:
                read(jobs_of(config.parent), "records, also of other runs")
            except CoarsegrainError:
                left_out.append(f"{config} is not one of this version's")
    to_measure = sorted(
        {
            groups[k]
            for k, task in enumerate(tasks)
            # A single job takes less than its measurement, which makes what it needs as well.
            if is_open(k) and task.stage in WORK.amounts and number[groups[k]] > 1
        }
    )
    if to_measure:
        tell(f"measuring {', '.join(to_measure)}")
        found = small_run(arguments, WORK.small(tasks), to_measure, work_of, cores)
        learn(found, "measured", to_measure)
    load = os.getloadavg()[0] if any(map(is_open, range(len(jobs)))) or to_measure else None
    unknown = [job for job, cost in zip(jobs, costs) if cost is None]
    # One start for all of them: there are many such stages, and each does more than start.
    least = Cost(start_of(unknown[0].stage) if unknown else 0.0, "its start only")
    return Estimate(works, [cost or least for cost in costs], load, left_out)
