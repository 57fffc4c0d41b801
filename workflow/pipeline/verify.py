"""Tell what in a results folder is fine, stale, damaged, missing or foreign; change nothing.

    python -m pipeline.verify --configfile workflow/presets/smoke.yaml
    python -m pipeline.verify --paths damaged    (only their paths, one a line)

Every output's bytes are compared with its sidecar, and the sidecar with what the workflow would
do now. All other arguments go to snakemake, which lists the jobs in a dry run; if they name
targets, only what these need is verified, and nothing is called foreign. Exit status 0 if all is
fine, else 1.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from coarsegrain.errors import CoarsegrainError
from pipeline.digest import WORKFLOW
from pipeline.job_list import list_jobs
from pipeline.progress import reporter
from pipeline.run import results_dir
from pipeline.staleness.locks import lock_of
from pipeline.verification import text
from pipeline.verification.advice import advice
from pipeline.verification.leftovers import leftovers
from pipeline.verification.outputs import judge

# Rules for all that the config asks for, variants too.
EVERYTHING = ("default", "variants")


def main(arguments: Sequence[str]) -> int:
    """Print what is what in the results of a run with ``arguments``; return the exit status."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--paths", choices=list(text.MEANINGS))
    own, for_snakemake = parser.parse_known_args(arguments)
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    try:
        results = results_dir(for_snakemake)
        named = targets_among(for_snakemake)
        jobs = list_jobs([*(() if named else EVERYTHING), *for_snakemake])
    except CoarsegrainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    verdicts = judge(jobs, _progress(len(jobs)))
    left = leftovers(results, [path for job in jobs for path in job.outputs])
    if named:
        left = [each for each in left if each.kind != "foreign"]
    if own.paths:
        for path, _ in text.paths_by_class(verdicts, left)[own.paths]:
            print(path)
    else:
        print(text.report(results, verdicts, left))
        lock = lock_of(str(results))
        if lock.is_file() and lock.stat().st_size:
            print(
                f"\nA run is going on in {results}, or was killed: {lock} is not empty. What is "
                "said of files that it is making may be wrong; verify again when it has ended."
            )
        print(f"\n{advice(verdicts, left, _preset(for_snakemake), results)}")
    return 0 if text.all_fine(verdicts, left) else 1


def targets_among(arguments: Sequence[str]) -> list[str]:
    """The files and rules that snakemake is asked for by name."""
    from snakemake.cli import get_argument_parser

    return list(get_argument_parser().parse_args(list(arguments)).targets or ())


def _preset(arguments: Sequence[str]) -> str:
    """The preset among the config files, as ``make`` calls it; the default one is ''."""
    presets = WORKFLOW / "presets"
    found = [Path(each).stem for each in arguments if Path(each).resolve().parent == presets]
    return found[-1] if found else ""


def _progress(jobs: int) -> Callable[[int], None]:
    """A bar on a terminal; else nothing, because the report is all that a pipe wants."""
    return reporter("Verifying", jobs, "jobs") if sys.stderr.isatty() else lambda done: None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
