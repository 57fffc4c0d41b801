"""What jobs took: the benchmark files that Snakemake writes for each, and the work behind them."""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from pipeline.job_list import Job
from pipeline.work import Task, Work, done, group_of

# Snakemake looks at a job's processor time every half second at first, then every half minute.
OFTEN, SELDOM, FIRST_SECONDS = 0.5, 30.0, 15.0


@dataclass(frozen=True)
class Record:
    """What a job took.

    Attributes:
        path: of the benchmark file.
        group: what it is compared with (see ``group_of``).
        work: that it did.
        planned: work that it was to do at most.
        seconds: on cores of its own.
    """

    path: str
    group: str
    work: Work
    planned: float
    seconds: float


def records(jobs: Sequence[Job], work_of: Callable[[Task], Work]) -> tuple[list[Record], list[str]]:
    """What jobs took when they last ran, and the benchmark files that cannot be read."""
    found, damaged = [], []
    for job, task in zip(jobs, done(jobs)):
        if job.benchmark is None or not Path(job.benchmark).exists():
            continue
        try:
            clock, processor = read_benchmark(Path(job.benchmark))
            work, plan = work_of(task), work_of(replace(task, facts={}))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration):
            damaged.append(job.benchmark)  # or its outputs' sidecars tell of another version's jobs
            continue
        # What other programs took from the core does not count, unless the job waited by itself.
        waits = job.threads > 1 or task.facts.get("device") == "cuda"
        seconds = clock if waits else processor
        found.append(Record(job.benchmark, group_of(job, plan), work, plan.amount, seconds))
    return found, damaged


def read_benchmark(path: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor, averaged if a job was repeated.

    Snakemake notes the processor time at its last look; what comes after counts at the same rate.

    Raises:
        OSError, ValueError, LookupError: the file cannot be read, or is no benchmark file.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    times = []
    for row in rows:
        clock = float(row["s"])
        seen = OFTEN * (min(clock, FIRST_SECONDS) // OFTEN)
        seen += SELDOM * (max(0.0, clock - FIRST_SECONDS) // SELDOM)
        used = float(row["cpu_time"]) if row["cpu_time"] != "NA" else 0.0
        if not (0 < clock < math.inf and 0 <= used < math.inf):
            raise ValueError(f"{path} holds a time that makes no sense")
        times.append((clock, clock * used / seen if seen and used else clock))
    if not times:
        raise ValueError(f"{path} is empty")
    return fmean(clock for clock, _ in times), fmean(processor for _, processor in times)
