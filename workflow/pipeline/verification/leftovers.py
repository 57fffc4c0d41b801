"""Files in a results folder that no job of the workflow, as configured, makes."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.sidecars import SIDECAR, UnreadableRecordError, read_record, sidecar_path

# Names that pipeline.outputs and the checkpoints write under until all is there.
PARTIAL = re.compile(r"^\..*\.partial-\d+")


@dataclass(frozen=True)
class Leftover:
    """A file that is no output.

    Attributes:
        path: of the file.
        kind: in the plural: ``"logs"``, ``"benchmarks"``, ``"checkpoints"``, ``"partial files"``,
            or ``"foreign"``.
        origin: of a foreign file: where it comes from, as a clause.
    """

    path: str
    kind: str
    origin: str = ""


def leftovers(results: Path, outputs: Collection[str]) -> list[Leftover]:
    """All files under ``results`` but ``outputs`` and their sidecars, sorted by path."""
    known = {Path(path) for path in outputs}
    known |= {sidecar_path(path) for path in known}
    there = {path for path in _files(results) if path not in known}
    found = []
    for path in sorted(there):
        owner = path.with_name(path.name.removesuffix(SIDECAR))
        if path.name.endswith(SIDECAR) and owner in there:
            continue  # goes with its file
        kind = _kind(path.relative_to(results))
        origin = _origin(path, owner) if kind == "foreign" else ""
        found.append(Leftover(str(path), kind, origin))
    return found


def _files(folder: Path) -> Iterator[Path]:
    """All files under a folder; linked folders too, each once."""
    visited = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        identity = os.stat(place).st_dev, os.stat(place).st_ino
        if identity in visited:
            folders.clear()
            continue
        visited.add(identity)
        yield from (Path(place, name) for name in names)


def _kind(path: Path) -> str:
    """What a file at ``path``, relative to the results folder, is for."""
    if any(PARTIAL.match(part) for part in path.parts):
        return "partial files"
    if path.parts[0] in ("logs", "benchmarks") and len(path.parts) > 1:
        return path.parts[0]
    of_study = path.parts[2:] if path.parts[0] == "variants" else path.parts
    if of_study[:1] in (("nets",), ("machines",)) and "checkpoints" in of_study[1:-1]:
        return "checkpoints"
    return "foreign"


def _origin(path: Path, owner: Path) -> str:
    if path != owner and path.name.endswith(SIDECAR):
        return "the sidecar of a file that is not there"
    try:
        return f"made by {read_record(path).stage} for another config or another version"
    except UnreadableRecordError:
        return "of unknown origin"
