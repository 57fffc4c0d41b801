"""Say how long a run will take, before it starts: what ``make estimate`` calls.

    python -m pipeline.estimate --cores 2 --configfile workflow/presets/paper.yaml

All arguments are those of a run and go to snakemake, for a dry run. What jobs took stands in the
benchmark files of finished runs; where these cannot tell, a small run elsewhere is timed.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from pipeline.estimate.costs import Estimate, estimated
from pipeline.estimate.durations import duration, size
from pipeline.estimate.prediction import Cost
from pipeline.estimate.schedule import dependencies, makespan
from pipeline.job_list import DryRunError, Job, list_jobs
from pipeline.run import results_dir
from pipeline.work import Work

HEADER = ("rule", "jobs", "to do", "a job takes", "core time", "from")


def main(arguments: Sequence[str]) -> int:
    """Print the estimate of a run with ``arguments``; return the exit status."""
    try:
        results, cores = results_dir(list(arguments)), cores_of(arguments)
        tell("listing the jobs")
        jobs = list_jobs(arguments)
        told = estimated(jobs, results, arguments, cores, tell)
    except DryRunError as error:  # in Snakemake's words, as `make run` has them
        print(error, file=sys.stderr)
        return 1
    except CoarsegrainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was started.", file=sys.stderr)
        return 130
    lines = [f"What {results} takes on this machine", "", *table(jobs, told), ""]
    print("\n".join([*lines, *totals(jobs, told, cores), *notes(told, cores)]))
    return 0


def tell(what: str) -> None:
    """Say what goes on."""
    print(what, file=sys.stderr, flush=True)


def cores_of(arguments: Sequence[str]) -> int:
    """The cores that snakemake, called with ``arguments``, would use.

    Raises:
        CoarsegrainError: that is no number of cores.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--cores", "-c", nargs="?", default="all")
    given = parser.parse_known_args(list(arguments))[0].cores
    if given in (None, "all"):
        here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return here or 1
    if not (given.isdecimal() and int(given)):
        raise CoarsegrainError(
            f"the number of cores is {given!r}; give CORES (--cores) a number, 1 or more, or all."
        )
    return int(given)


def table(jobs: Sequence[Job], told: Estimate) -> list[str]:
    """One line per rule and kind of work, in the order of the jobs, under a header."""
    rows: dict[str, list[tuple[Job, Cost]]] = {}
    for job, work, cost in zip(jobs, told.works, told.costs):
        rows.setdefault(f"{job.rule} {work.kind}".strip(), []).append((job, cost))
    cells = [HEADER, *(row(name, members) for name, members in sorted(rows.items()))]
    widths = [max(len(line[k]) for line in cells) for k in range(len(HEADER))]
    return [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1])]
            + [line[-1]]
        ).rstrip()
        for line in cells
    ]


def row(name: str, members: Sequence[tuple[Job, Cost]]) -> tuple[str, ...]:
    """The cells of a line: the mean job, and all that are to do."""
    bound = "<= " if any(cost.at_most for _, cost in members) else ""
    takes = bound + duration(sum(cost.seconds for _, cost in members) / len(members))
    pending = [(job, cost) for job, cost in members if job.pending]
    to_do = bound + duration(core_time(pending)) if pending else "-"
    bases = sorted({cost.basis for _, cost in members})
    return name, f"{len(members)}", f"{len(pending)}", takes, to_do, " and ".join(bases)


def core_time(jobs: Iterable[tuple[Job, Cost]]) -> float:
    """Seconds for which jobs occupy a core."""
    return sum(cost.seconds * job.threads for job, cost in jobs)


def totals(jobs: Sequence[Job], told: Estimate, cores: int) -> list[str]:
    """Time of the cores and by the clock, memory and disk."""
    every = list(zip(jobs, told.costs))
    to_do = [(job, cost) for job, cost in every if job.pending]
    whole, bound = (
        "at most " if any(cost.at_most for _, cost in part) else "" for part in (every, to_do)
    )
    everything = whole + duration(core_time(every))
    disk = size(sum(bytes_of(job, work) for job, work in zip(jobs, told.works)))
    if not to_do:
        return [
            "Nothing to do: all results are there and up to date.",
            f"Made anew they would take {everything} of one core.",
            f"On disk       about {disk} of results",
        ]
    pending = [job for job, _ in to_do]
    seconds, needs = [cost.seconds for _, cost in to_do], dependencies(pending)
    clock, shortest = (
        bound + duration(makespan(seconds, needs, [job.threads for job in pending], number))
        for number in (cores, sum(job.threads for job in pending))
    )
    memory = size(1e6 * max(job.memory_mb for job in pending))
    return [
        f"Core time     {bound}{duration(core_time(to_do))} for what is to do; {everything} for"
        " everything",
        f"By the clock  {clock} on {cores} core{'s' * (cores > 1)}; {shortest} on any number",
        f"Memory        up to {memory} a job, as its rule declares; {cores} at once",
        f"On disk       about {disk} of results, all in all",
    ]


def bytes_of(job: Job, work: Work) -> float:
    """Of a job's outputs: as they are, or, of those that are not there, of the large ones."""
    paths = [Path(path) for path in job.outputs]
    if all(path.is_file() for path in paths):
        return float(sum(path.stat().st_size for path in paths))
    return work.bytes


def notes(told: Estimate, cores: int) -> list[str]:
    """How the numbers are meant."""
    lines = [
        "",
        "The clock is that of jobs started as cores get free, those with the longest way to the",
        "end first, on a machine that does nothing else. Records are benchmark files of earlier",
        "runs, scaled by epochs, lattices and sizes of nets; measured is what a small run took",
        'just now. Jobs with "records of little work" or "its start only" in the last column are',
        "much larger than what was timed, and may take much longer.",
    ]
    if any(cost.at_most for cost in told.costs):
        lines += ["<= An upper bound: these trainings may end earlier, by a rule for stopping."]
    if told.load is not None and told.load > cores:
        lines += [
            f"The machine was busy while this was measured (load {told.load:.1f} on {cores} cores):"
            " it may take less.",
        ]
    return lines + [f"Left out: {each}" for each in told.left_out]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
