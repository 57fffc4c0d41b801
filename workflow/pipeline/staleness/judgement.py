"""Whether an output is still what the workflow, as it is now, would make.

It is if its bytes are those that its sidecar tells of, and if stage, spec and code digest, and the
content of every input that the stage read, are those that the sidecar tells of. Times, names of
folders and Snakemake's own notes decide nothing. Content decides, so an input that was made again
with the same bytes makes nothing stale.
"""

from collections.abc import Callable, Iterator

from pipeline.job_list import Job
from pipeline.staleness.changes import described
from pipeline.staleness.records import Record

NOT_ITS_BYTES = "its bytes are not those that its sidecar tells of"
OTHER_INPUTS = "it would be made from other files now"


def changes_since(record: Record, job: Job, content: Callable[[str], str | None]) -> Iterator[str]:
    """In what an output's record differs from what would be made now, as clauses.

    Args:
        record: of the output.
        job: that makes it now.
        content: of an input, its SHA-256 now; None if it cannot be known.
    """
    if record.stage != job.stage:
        yield f"it was made by {record.stage}, and {job.stage} makes it now"
        return
    if difference := described(record.spec, job.spec):
        yield f"its spec changed: {difference}"
    if [record.code] != job.options.get("code"):
        yield f"the code of {job.stage} changed"
    yield from _changed_inputs(record, job, content)


def _changed_inputs(
    record: Record, job: Job, content: Callable[[str], str | None]
) -> Iterator[str]:
    for option, before in record.inputs.items():
        now = job.options.get(option.replace("_", "-"), [])
        if len(now) != len(before):
            yield OTHER_INPUTS
            return
        for path, (_, checksum) in zip(now, before):
            if content(path) not in (None, checksum):
                yield f"an input's content changed: {path}"
