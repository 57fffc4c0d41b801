"""The list of jobs from a dry run that leaves no trace: not even in ``.snakemake/``.

Snakemake (9.27) writes caches and folders there in a dry run too. It therefore runs in a scratch
folder that shows all that the checkout has but that. What is stale the sidecars tell.
"""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.job_list import DryRunError, Job, list_jobs


def list_jobs_without_trace(arguments: Sequence[str]) -> list[Job]:
    """The jobs of a run of snakemake with ``arguments`` in this folder.

    Raises:
        DryRunError: snakemake refuses to run.
    """
    # Config files may lie outside the checkout: so far up it must look as it does here.
    levels = max((Path(each.rpartition("=")[2]).parts.count("..") for each in arguments), default=0)
    checkout = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        shown = _shown_in(Path(folder), checkout, levels)
        try:
            with contextlib.chdir(shown):
                return list_jobs(arguments)
        except DryRunError as error:
            raise DryRunError(str(error).replace(str(shown), str(checkout))) from None


def _shown_in(folder: Path, checkout: Path, levels: int) -> Path:
    """Links in ``folder`` to all that is in a checkout and so many levels above it."""
    names = checkout.parts[1:][-1 - levels :]
    shown = folder.joinpath(*names)
    shown.mkdir(parents=True)
    _link_all(checkout, shown, but=".snakemake")
    inner = shown
    for real in list(checkout.parents)[: len(names) - 1]:
        _link_all(real, inner.parent, but=inner.name)
        inner = inner.parent
    return shown


def _link_all(real: Path, shown: Path, but: str) -> None:
    for each in real.iterdir():
        if each.name != but:
            (shown / each.name).symlink_to(each)
