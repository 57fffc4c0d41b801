"""Take results for those of code that was edited without changing them: what ``make accept`` calls.

    python -m pipeline.accept --stages lattices.sample_lattices --cores 1

After a refactoring every result of the stages that it touched is out of date, though it would come
out the same. Whoever has checked that says so here, for all stages or for some: the sidecars then
name both digests, and nothing is computed again. It is refused where spec, inputs or bytes changed.
All other arguments go to snakemake, which lists the jobs in a dry run.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from snakemake.exceptions import CliException

from coarsegrain.errors import CoarsegrainError
from coarsegrain.storage.json_files import read_json
from pipeline.disk import problem_of
from pipeline.job_list import Job, list_jobs
from pipeline.run import results_dir
from pipeline.sidecars import SIDECAR, read_record, sidecar_path
from pipeline.stage import EDITED
from pipeline.staleness.checksums import Checksums
from pipeline.staleness.judgement import Judge, State, code_changed
from pipeline.staleness.locks import at_work, lock_of
from pipeline.verify import EVERYTHING, targets_among

# Of a long list of refusals.
SHOWN = 10


def main(arguments: Sequence[str]) -> int:
    """Accept what may be accepted, or nothing; return the exit status."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--stages", default="")
    own, for_snakemake = parser.parse_known_args(list(arguments))
    try:
        results = str(results_dir(for_snakemake))
        named = targets_among(for_snakemake)
        jobs = list_jobs([*(() if named else EVERYTHING), *for_snakemake])
        with at_work(results, lock_of(results), {"pid": os.getpid()}):
            accepted = accept(jobs, own.stages.split())
    except (CoarsegrainError, CliException, OSError) as error:
        said = problem_of(error) if isinstance(error, OSError) else error
        print(f"error: {said}", file=sys.stderr)
        return 1
    for stage, number in sorted(accepted.items()):
        print(f"accepted: {number} result{'s' * (number > 1)} of {stage}")
    if not accepted:
        print("Nothing to accept: no result differs from this code alone.")
    return 0


def accept(jobs: Sequence[Job], stages: Sequence[str]) -> Counter[str]:
    """Write into sidecars that results are those of the code as it is now.

    A deleted result's sidecar is changed as if the result were there.

    Args:
        jobs: all jobs of the workflow.
        stages: as ``"lattices.sample_lattices"``; none: all.
    Returns:
        How many files of each stage are accepted now.
    Raises:
        CoarsegrainError: there is no such stage, or a result differs in more than its code; then
            no sidecar was changed.
    """
    chosen = {f"stages.{name.removeprefix('stages.')}" for name in stages}
    if unknown := sorted(chosen - {str(job.stage) for job in jobs}):
        raise CoarsegrainError(
            f"no job runs {', '.join(unknown)}; stages are named as in workflow/stages, "
            "e.g. lattices.sample_lattices."
        )
    own = [job for job in jobs if job.stage and (not chosen or job.stage in chosen)]
    to_accept: list[tuple[str, Job]] = []
    refused: list[str] = []
    for path, job, state, reasons in _judged(jobs, own):
        gone_or_stale = state in (State.STALE, State.MISSING)
        if gone_or_stale and reasons == [code_changed(str(job.stage))]:
            if read_record(Path(path)).code == EDITED:
                refused.append(f"{path}: its code was {EDITED}, so nobody knows what made it")
                continue
            to_accept.append((path, job))
        elif state in (State.STALE, State.DAMAGED):
            refused.append(f"{path}: {'; '.join(reasons)}")
    if refused:
        more = [f"and {len(refused) - SHOWN} more"] if len(refused) > SHOWN else []
        raise CoarsegrainError(
            "nothing is accepted, since more than code differs:\n"
            + "\n".join(f"  {each}" for each in [*refused[:SHOWN], *more])
            + '\nHave these made anew first (make run ARGS="-- <file>"), or name other stages '
            "(STAGES=...): a run makes anew all that is not accepted."
        )
    today = datetime.now(UTC).date().isoformat()
    for path, job in to_accept:
        _add(sidecar_path(Path(path)), {"code": job.code, "on": today})
    return Counter(str(job.stage) for _, job in to_accept)


def _judged(jobs: Sequence[Job], own: Sequence[Job]) -> Iterator[tuple[str, Job, State, list[str]]]:
    makers = {path: job for job in jobs for path in job.outputs}
    judge = Judge(makers, Checksums(), accepting={job.stage for job in own})
    for job in own:
        for path in job.outputs:
            if not path.endswith(SIDECAR):
                yield path, job, *judge.judge(path, job)


def _add(sidecar: Path, entry: dict[str, str]) -> None:
    """Add to what was accepted; the sidecar is there, whole, at every moment."""
    told = read_json(sidecar)
    told["accepted"] = [*told.get("accepted", []), entry]
    partial = sidecar.with_name(f".{sidecar.name}.partial-{os.getpid()}")
    try:
        with partial.open("w") as file:
            file.write(json.dumps(told, indent=1, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())  # else a power loss may leave it empty
        os.replace(partial, sidecar)
    finally:
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
