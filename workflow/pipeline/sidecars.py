"""Sidecars, which say how a file was made: written with it, and read also when spoilt since."""

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coarsegrain.errors import CoarsegrainError, StorageError
from coarsegrain.storage.json_files import read_json
from coarsegrain.storage.refusal import one_line
from pipeline.spec import canonical_json

# Set in the environment of jobs: outputs that are what would be made are left as they are.
KEEP = "COARSEGRAIN_KEEP_WHAT_HOLDS"
# How the name of a sidecar ends.
SIDECAR = ".prov.json"
LIBRARIES = (
    "numpy", "numba", "torch", "scipy", "scikit-image", "pandas", "h5netcdf", "safetensors",
    "matplotlib",
)  # fmt: skip


def sidecar_path(path: Path) -> Path:
    """``a/b.nc`` -> ``a/b.nc.prov.json``."""
    return path.with_name(path.name + SIDECAR)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sidecar(
    path: Path,
    *,
    content: Path,
    stage: str,
    spec: Mapping[str, Any],
    code: str,
    inputs: Mapping[str, Iterable[tuple[Path, str]]],
    facts: Mapping[str, str],
    at: Path | None = None,
) -> None:
    """Write ``path``'s sidecar: how the file was made, from what, with which libraries.

    Args:
        path: the output's final place.
        content: the file that holds its bytes now.
        stage: dotted name of the stage's module.
        spec: the rule's spec, seeds included.
        code: digest of the code that ran.
        inputs: the files it read and their SHA-256, by the stage's options.
        facts: what the stage learned while running, e.g. the device.
        at: where to write it, for a caller that moves it to its place; else it is written there.
    """
    record = {
        "file": path.name,
        "sha256": sha256(content),
        "stage": stage,
        "spec": spec,
        "code": code,
        "inputs": {
            option: [{"file": str(each), "sha256": checksum} for each, checksum in files]
            for option, files in inputs.items()
        },
        "python": platform.python_version(),
        "libraries": _installed_versions(),
        **facts,
    }
    (at or sidecar_path(path)).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


@cache
def _installed_versions() -> dict[str, str]:
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions


class UnreadableRecordError(CoarsegrainError):
    """A sidecar is missing or says nothing; the text says which, as a clause."""


@dataclass(frozen=True)
class Record:
    """How a file was made, as its sidecar says.

    Attributes:
        sha256: of the file's bytes.
        stage: dotted name of the stage's module.
        spec: what the stage was to compute.
        code: digest of its code.
        inputs: what it read: by option of the stage, (path, SHA-256) of each file in their order.
        accepted: other code that somebody said gives the same: (digest, day).
    """

    sha256: str
    stage: str
    spec: Mapping[str, Any]
    code: str
    inputs: Mapping[str, Sequence[tuple[str, str]]]
    accepted: Sequence[tuple[str, str]] = ()

    @property
    def codes(self) -> set[str]:
        """Digests of all code that gives this file."""
        return {self.code, *(code for code, _ in self.accepted)}


def read_record(path: Path) -> Record:
    """Read the sidecar of the file ``path``.

    Raises:
        UnreadableRecordError: there is none, or it is not one of ours.
    """
    sidecar = sidecar_path(path)
    try:
        told = read_json(sidecar)
    except StorageError as error:
        if not os.path.lexists(sidecar):
            raise UnreadableRecordError("its sidecar is missing") from None
        if isinstance(error.__cause__, OSError):
            reason = error.__cause__.strerror
            raise UnreadableRecordError(f"its sidecar cannot be read ({reason})") from None
        raise UnreadableRecordError("its sidecar is no JSON") from None
    try:
        if told["file"] != path.name:
            other = one_line(str(told["file"]))
            raise UnreadableRecordError(f"its sidecar is that of {other}")
        inputs = {
            option: [(each["file"], each["sha256"]) for each in files]
            for option, files in told["inputs"].items()
        }
        accepted = [(each["code"], each["on"]) for each in told.get("accepted", ())]
        record = Record(told["sha256"], told["stage"], told["spec"], told["code"], inputs, accepted)
    except (KeyError, TypeError, AttributeError):
        raise UnreadableRecordError("its sidecar is not one of this version's") from None
    texts: list[object] = [record.sha256, record.stage, record.code, *inputs]
    texts += [text for pair in accepted for text in pair]
    texts += [text for files in inputs.values() for pair in files for text in pair]
    # Printed, and looked up as paths: neither goes with a NUL or a terminal's escape codes.
    printable = all(isinstance(text, str) and text.isprintable() for text in texts)
    if not printable or not isinstance(record.spec, dict):
        raise UnreadableRecordError("its sidecar is not one of this version's")
    return record


def is_made_from(
    path: Path,
    *,
    stage: str,
    spec: Mapping[str, Any],
    code: str,
    inputs: Mapping[str, Iterable[tuple[Path, str]]],
) -> bool:
    """Whether ``path`` is there, whole, and was made just so: arguments as of ``write_sidecar``.

    Of the inputs the content counts, not the names.
    """
    try:
        record = read_record(path)
        whole = sha256(path) == record.sha256
    except (OSError, UnreadableRecordError):
        return False
    return (
        whole
        and record.stage == stage
        and code in record.codes
        and canonical_json(record.spec) == canonical_json(spec)
        and _checksums(record.inputs) == _checksums(inputs)
    )


def _checksums(inputs: Mapping[str, Iterable[tuple[object, str]]]) -> dict[str, list[str]]:
    return {option: [checksum for _, checksum in files] for option, files in inputs.items()}
