"""Say what a run will cost, before it starts: what ``make estimate`` calls.

    python -m pipeline.estimate --cores 2 --configfile workflow/presets/paper.yaml

All arguments are those of a run and go to snakemake, for a dry run; nothing is started or locked.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from pipeline.environment import shell_prefix
from pipeline.estimate.cost import DRAWING, MODELS, Cost
from pipeline.estimate.durations import duration, size
from pipeline.estimate.schedule import critical_path, dependencies, makespan
from pipeline.job_list import DryRunError, Job, list_jobs
from pipeline.run import results_dir

HEADER = ("rule", "jobs", "to do", "a job takes", "processor time", "from")


def main(arguments: Sequence[str]) -> int:
    """Print the estimate of a run with ``arguments``; return the exit status."""
    try:
        results = results_dir(list(arguments))
        print("listing the jobs", file=sys.stderr, flush=True)
        jobs = list_jobs(arguments)
        costs, compiling = measured_costs(jobs)
    except DryRunError as error:  # in Snakemake's words, as `make run` has them
        print(error, file=sys.stderr)
        return 1
    except CoarsegrainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was started.", file=sys.stderr)
        return 130
    lines = [f"What {results} takes on this machine", "", *table(jobs, costs), ""]
    lines += totals(jobs, costs, cores_of(arguments))
    lines += notes(costs, compiling)
    print("\n".join(lines))
    return 0


def cores_of(arguments: Sequence[str]) -> int:
    """The cores that snakemake, called with ``arguments``, would use."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--cores", "-c", nargs="?", default="all")
    given = parser.parse_known_args(list(arguments))[0].cores
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, int(given)) if given and given.isdecimal() else here or 1


def measured_costs(jobs: Sequence[Job]) -> tuple[list[Cost], float]:
    """The cost of every job, and seconds that compiling kernels took; see ``cost``.

    Raises:
        CoarsegrainError: the measurement ended with an error.
    """
    threads = max((job.spec["threads"] for job in jobs if "threads" in job.spec), default=1)
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder, "jobs.json"), Path(folder, "costs.json")
        asked.write_text(json.dumps([asdict(job) for job in jobs]))
        command = [sys.executable, "-m", "pipeline.estimate.cost", str(asked), str(told)]
        run = subprocess.run(
            ["bash", "-c", f"{shell_prefix(threads)}exec {shlex.join(command)}"],
            check=False,
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )
        if run.returncode or not told.is_file():
            raise CoarsegrainError("the measurement did not end; what it said stands above.")
        record = json.loads(told.read_text())
    return [Cost(**each) for each in record["costs"]], record["compiling"]


def label(job: Job) -> str:
    """Which row of the table a job belongs to: its rule, and its net or kind of set."""
    if job.rule in ("train_shallow_net", "train_model", "train_members"):
        return f"{job.rule} {job.spec.get('members', [job.spec])[0]['net']}"
    if "set" in job.wildcards:
        return f"{job.rule} {job.wildcards['set'].partition('/')[0]}"
    return job.rule


def table(jobs: Sequence[Job], costs: Sequence[Cost]) -> list[str]:
    """One line per rule, and net or kind of set, under a header."""
    order = [*(rule for rule in MODELS if rule != "report"), *DRAWING, "report"]
    rows: dict[str, list[tuple[Job, Cost]]] = {}
    for job, cost in sorted(
        zip(jobs, costs),
        key=lambda each: order.index(each[0].rule) if each[0].rule in order else len(order),
    ):
        rows.setdefault(label(job), []).append((job, cost))
    cells = [HEADER, *(row(name, members) for name, members in rows.items())]
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
    to_do = [cost for job, cost in members if job.pending]
    known = [cost for _, cost in members if cost.seconds is not None]
    bound = "<= " if any(cost.at_most for cost in known) else ""
    takes = processor = "unknown"
    if known:
        takes = bound + duration(sum(cost.seconds or 0.0 for cost in known) / len(known))
        total = sum(cost.processor for cost in to_do)
        processor = bound + duration(total) if to_do else "-"
    bases = list(dict.fromkeys(cost.basis for _, cost in members))
    basis = " or ".join(bases[:2]) + (", ..." if len(bases) > 2 else "")
    return name, f"{len(members)}", f"{len(to_do)}", takes, processor, basis


def totals(jobs: Sequence[Job], costs: Sequence[Cost], cores: int) -> list[str]:
    """Processor time, time by the clock, memory and disk."""
    to_do = [(job, cost) for job, cost in zip(jobs, costs) if job.pending]
    bound = "at most " if any(cost.at_most for _, cost in to_do) else ""
    whole = "at most " if any(cost.at_most for cost in costs) else ""
    everything = sum(cost.processor for cost in costs)
    seconds = [cost.seconds or 0.0 for _, cost in to_do]
    pending = [job for job, _ in to_do]
    needs = dependencies(pending)
    clock = makespan(seconds, needs, [job.threads for job in pending], cores)
    memory = 1e6 * max((job.memory_mb for job in pending), default=0)
    disk = size(sum(cost.bytes for cost in costs))
    if not to_do:
        return [
            "Nothing to do: all results are there and up to date.",
            f"Made anew they would take {whole}{duration(everything)} of processor time.",
            f"On disk         about {disk} of results",
        ]
    return [
        f"Processor time  {bound}{duration(sum(cost.processor for _, cost in to_do))} for what is "
        f"to do; {whole}{duration(everything)} for everything",
        f"By the clock    {bound}{duration(clock)} on {cores} core{'s' * (cores > 1)}; "
        f"{bound}{duration(critical_path(seconds, needs))} on any number of them",
        f"Memory          up to {size(memory)} a job, as its rule declares; {cores} at once",
        f"On disk         about {disk} of results, all in all",
    ]


def notes(costs: Iterable[Cost], compiling: float) -> list[str]:
    """How the numbers are meant."""
    costs = list(costs)
    lines = [
        "",
        "Measured just now are the start of a job, lattices, steps of training, files and forward",
        "passes, all by short samples; the numbers of them come from the config. What a figure and",
        "the report take is fixed. The clock is that of jobs started as cores get free, those with",
        "the longest way to the end first, on a machine that does nothing else.",
    ]
    if any(cost.at_most for cost in costs):
        lines += [
            "<= An upper bound: a rule for stopping (nets.stopping, thermometer.stop_mse) may end",
            "   these trainings earlier.",
        ]
    if any(cost.seconds is None for cost in costs):
        lines.append("Jobs marked unknown count as nothing.")
    if compiling > 2:
        lines.append(
            f"Compiling kernels took {duration(compiling)}, once for this code; jobs load them."
        )
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
