"""What the jobs of a run really did, from what ``recorder/sitecustomize.py`` has written."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# Beside outputs: what is written about them, and what is gone when a job has ended.
NO_OUTPUT = re.compile(r"\.prov\.json$|/(logs|benchmarks|checkpoints)/|\.partial-")
STAGE = re.compile(r"stages\.(?:\w+\.)*(\w+)")


@dataclass(frozen=True)
class RecordedJob:
    """One job, with all the processes that it started.

    Attributes:
        stage: its stage's name; "" if its program is none.
        code: the project's modules that it imported, as paths.
        read: the other files of the project that it opened: data files and results.
        outputs: results that it wrote.
        given: the keys of its spec, those of sections with dots.
        used: the keys that it looked at.
    """

    stage: str
    code: frozenset[str]
    read: frozenset[str]
    outputs: tuple[str, ...]
    given: frozenset[str]
    used: frozenset[str]

    @property
    def name(self) -> str:
        """As ``Recording.name_of`` calls it."""
        return self.outputs[0]

    def __str__(self) -> str:
        return f"{self.stage}: {self.name}"


class Recording:
    """A run, as it was recorded."""

    def __init__(self, folder: Path) -> None:
        """Read the records in ``folder``."""
        processes: dict[str, list[dict]] = {}
        for path in sorted(folder.glob("*.json")):
            record = json.loads(path.read_text())
            processes.setdefault(record["job"], []).append(record)
        self.jobs = [_job(each) for each in processes.values()]
        self.jobs = [job for job in self.jobs if job.outputs]
        self._maker = {output: job for job in self.jobs for output in job.outputs}

    def name_of(self, outputs: Iterable[str]) -> str:
        """The name of the job that makes ``outputs``: the recorded one's, where there is one."""
        known = {self._maker[output].name for output in outputs if output in self._maker}
        return min(known) if known else min(outputs)

    @cached_property
    def report(self) -> RecordedJob:
        """The job that wrote the report."""
        return next(job for job in self.jobs if job.name.endswith(("report.html", "config.json")))

    @property
    def unread_keys(self) -> set[tuple[str, str]]:
        """Stages and keys of specs that were given to their jobs and that these never looked at."""
        return {
            (job.stage, key)
            for job in self.jobs
            if job is not self.report  # it keeps the whole config and looks at none of it
            for key in job.given - job.used
        }

    def jobs_where(self, condition: Callable[[RecordedJob], bool]) -> set[str]:
        """Names of jobs."""
        return {job.name for job in self.jobs if condition(job)}

    def with_downstream(self, names: Iterable[str]) -> set[str]:
        """These jobs and all that follow from them, through files that were really opened.

        The report follows from every job, not from those of its figures only: it tells of all.
        """
        found: set[str] = set()
        todo = set(names)
        while todo:
            found |= todo
            made = {output for job in self.jobs if job.name in todo for output in job.outputs}
            todo = {job.name for job in self.jobs if job.read & made} - found
        return found | {self.report.name} if found else found


def _job(processes: list[dict]) -> RecordedJob:
    stages = [
        (record, found[1])
        for record in processes
        if (found := STAGE.fullmatch(record["command"][1] if record["command"][1:] else ""))
    ]

    # A stage may start Snakemake, which imports what plans jobs: that decides no result.
    def all_of(key: str, records: Iterable[dict]) -> frozenset[str]:
        return frozenset(each for record in records for each in record[key])

    written = all_of("written", processes)
    return RecordedJob(
        stage=stages[0][1] if stages else "",
        code=all_of("code", (record for record, _ in stages)),
        read=all_of("read", processes),
        outputs=tuple(sorted(each for each in written if _is_output(each))),
        given=all_of("given", processes),
        used=all_of("used", processes),
    )


def _is_output(path: str) -> bool:
    return path.startswith("results/") and not NO_OUTPUT.search(path)
