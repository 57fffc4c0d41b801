"""How long Snakemake thinks before the first job: an up-to-date check, and a large sweep.

    PYTHONPATH=workflow python benchmarks/planning.py

The check is of the default config's results; `make run` makes them. The sweep has 1,000 points,
each with two members of the thermometer and what is measured with them. Times are by the clock and
of the processor, the smallest of the repetitions, Python's start included.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent


class DryRun(NamedTuple):
    """What a dry run took and said.

    Attributes:
        clock: seconds.
        processor: seconds, of user and system.
        jobs: that it would run.
    """

    clock: float
    processor: float
    jobs: int


def dry_run(*arguments: str) -> DryRun:
    """Time one dry run of the workflow."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", *arguments]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    said = run.stdout + run.stderr
    if run.returncode:
        sys.exit(said)
    found = re.search(r"^total +(\d+)$", said, re.MULTILINE)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return DryRun(clock, used, int(found[1]) if found else 0)


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=3)
    repetitions = range(parser.parse_args().repetitions)
    with tempfile.TemporaryDirectory() as folder:
        sweep = Path(folder, "sweep.yaml")
        values = ", ".join(f"{1e-5 * k:.5f}" for k in range(1, 1001))
        sweep.write_text(
            f"results_dir: {folder}/results\nmembers: 2\n"
            f"sweeps: {{stop: {{thermometer.stop_mse: [{values}]}}}}\n"
        )
        cases = {
            "default config": [],
            "a sweep of 1,000 points, nothing there": ["variants", "--configfile", str(sweep)],
        }
        for name, arguments in cases.items():
            runs = [dry_run(*arguments) for _ in repetitions]
            clock, processor = (
                min(getattr(run, key) for run in runs) for key in DryRun._fields[:2]
            )
            jobs = runs[0].jobs
            what = f"{jobs} jobs to do" if jobs else "nothing to do"
            print(f"{name:<38} {clock:6.2f} s by the clock {processor:6.2f} s of processor  {what}")


if __name__ == "__main__":
    main()
