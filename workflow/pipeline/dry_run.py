"""Make a dry run of Snakemake here without a trace, and write down its jobs.

    python -m pipeline.dry_run FOLDER [arguments of snakemake]

The jobs go to FOLDER/jobs.json, and all that Snakemake (9.27) keeps in ``.snakemake/`` in dry runs
too (caches, folders) goes to FOLDER.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import snakemake.cli
import snakemake.workflow

from pipeline.job_list import job_from
from pipeline.staleness.persistence import Sidecars


class Listing(Sidecars):
    """Judges as in a run, keeps its notes elsewhere, and writes the jobs down."""

    folder: ClassVar[Path]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "path": self.folder})

    @contextmanager
    def lock_warn_only(self) -> Iterator[None]:
        """What Snakemake does when it knows what is to be done in a dry run."""
        pending = set(self.dag.needrun_jobs())
        jobs = [
            asdict(job_from(job, pending=job in pending))
            for level in self.dag.toposorted()
            for job in sorted(level, key=lambda job: list(map(str, job.output)))
            if not job.is_norun
        ]
        Path(self.folder, "jobs.json").write_text(json.dumps(jobs))
        yield


def main(arguments: Sequence[str]) -> int:
    """Write the jobs of a run with ``arguments[1:]`` to a file in the folder ``arguments[0]``."""
    Listing.folder = Path(arguments[0])
    snakemake.workflow.FilePersistence = Listing
    try:
        # Before what the caller wants: after a target or "--" these would be targets.
        snakemake.cli.main(["--dry-run", "--nolock", "--quiet=host", *arguments[1:]])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else bool(ended.code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
