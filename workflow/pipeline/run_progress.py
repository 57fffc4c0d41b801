"""What ``make run`` shows of a run: a line for every stage that is done, and one for the rest.

Snakemake tells its handlers of every job; ``snakemake_logger_plugin_coarsegrain`` passes that on.
How long the rest takes is told from the jobs that are done and the work of those that are not
(``pipeline.work``), which the run notes here before its first job.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.job_list import job_from
from pipeline.studies.work import work_of
from pipeline.work import Work, group_of, planned

#: Set by the handler: then runs note their plan.
WANTED = False
#: The jobs to do, by Snakemake's number: of the run in this process.
PLAN: dict[int, "Planned"] = {}


@dataclass(frozen=True)
class Planned:
    """A job that is to be done.

    Attributes:
        group: of jobs that are compared.
        work: that it is.
    """

    group: str
    work: Work


@dataclass
class Progress:
    """What is done of a run, and what is not.

    Attributes:
        plan: of the jobs whose work is known.
        numbers: of jobs, by rule.
        cores: of the run.
        began: when it began, in seconds.
    """

    plan: Mapping[int, Planned]
    numbers: Mapping[str, int]
    cores: int = 1
    began: float = 0.0
    _rule: dict[int, str] = field(default_factory=dict)
    _name: dict[int, str] = field(default_factory=dict)
    _started: dict[int, float] = field(default_factory=dict)
    _took: dict[int, float] = field(default_factory=dict)

    def start(self, job: int, rule: str, name: str, now: float) -> None:
        """A job starts; ``name`` tells it from others of its rule."""
        self._rule[job], self._name[job], self._started[job] = rule, name, now

    def finish(self, job: int, now: float) -> str | None:
        """A job has ended well. Returns its rule, if it was the last one of it."""
        if job not in self._rule:  # a target, which runs nothing
            return None
        self._took[job] = now - self._started.pop(job, now)
        rule = self._rule[job]
        return rule if self.done[rule] == self.numbers.get(rule) else None

    @property
    def done(self) -> Counter[str]:
        """Numbers of jobs that are done, by rule."""
        return Counter(self._rule[job] for job in self._took)

    def left(self, now: float) -> tuple[float, bool]:
        """Seconds that the rest will take, and whether that is all of it.

        Jobs of which none like it is done yet are left out.
        """
        rates = self._rates()
        seconds, whole = 0.0, True
        for job, ahead in self.plan.items():
            if job in self._took:
                continue
            rate = rates.get((ahead.group, ahead.work.kind), rates.get((ahead.group, None)))
            if rate is None:
                whole = False
                continue
            running = now - self._started[job] if job in self._started else 0.0
            seconds += max(0.0, rate * ahead.work.amount - running)
        return seconds / self.cores, whole

    def _rates(self) -> dict[tuple[str, str | None], float]:
        """Seconds per work of the jobs that are done, by group and kind, and by group."""
        seconds: defaultdict[tuple[str, str | None], float] = defaultdict(float)
        amounts: defaultdict[tuple[str, str | None], float] = defaultdict(float)
        for job, took in self._took.items():
            if was := self.plan.get(job):
                for key in ((was.group, was.work.kind), (was.group, None)):
                    seconds[key] += took
                    amounts[key] += was.work.amount
        return {key: seconds[key] / amounts[key] for key in seconds if amounts[key]}

    def first_line(self) -> str:
        """What there is to do."""
        total = sum(self.numbers.values())
        return f"{total} job{'s' * (total > 1)} to do, on {self.cores} core{'s' * (self.cores > 1)}"

    def stage_line(self, rule: str, now: float) -> str:
        """Of a rule that is done."""
        number, width = self.numbers[rule], max(map(len, self.numbers))
        return f"{clock(now - self.began)}  {rule:<{width}}  {number} job{'s' * (number > 1)} done"

    def rest_line(self, now: float) -> str:
        """What is done of all, what runs, and how long the rest takes."""
        total = sum(self.numbers.values())
        running = [f"{self._rule[job]} {self._name[job]}".rstrip() for job in self._started]
        what = f": {', '.join(running[:2])}{', …' * (len(running) > 2)}" if running else ""
        return (
            f"{clock(now - self.began)}  {len(self._took)} of {total} jobs done"
            f"{self._time_left(now)}{what}"
        )

    def _time_left(self, now: float) -> str:
        seconds, whole = self.left(now)
        if not self._took or (seconds == 0 and not whole):
            return ""
        return f", {'about' if whole else 'more than'} {in_minutes(seconds)} left"


def note_plan(dag: Any) -> None:
    """Note the work of the jobs that a run is to do, if it is asked for."""
    PLAN.clear()
    to_do = {dag.jobid(job) for job in dag.needrun_jobs()} if WANTED else set()
    if not to_do:
        return
    every = list(dag.jobs)  # the work of a job may follow from what makes its inputs
    jobs = [job_from(job) for job in every]
    for job, told, task in zip(every, jobs, planned(jobs)):
        if dag.jobid(job) in to_do:
            work = work_of(task)
            PLAN[dag.jobid(job)] = Planned(group_of(told, work), work)


def clock(seconds: float) -> str:
    """Such as "12:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:>2}:{rest:02}"


def in_minutes(seconds: float) -> str:
    """Such as "4 min", and below two minutes in seconds."""
    if seconds < 115:
        return f"{max(5, 5 * round(seconds / 5))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def shown(wildcards: Mapping[str, Any]) -> str:
    """What tells a job from others of its rule."""
    values: Sequence[str] = [str(each).strip("/") for each in wildcards.values()]
    return " ".join(filter(None, values))
