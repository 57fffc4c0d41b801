"""What a sidecar says and what a file holds, also when a disk or a copy has spoilt them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coarsegrain.errors import CoarsegrainError, StorageError
from coarsegrain.storage.json_files import read_json
from coarsegrain.storage.refusal import one_line
from pipeline.provenance import sha256, sidecar_path

# How the name of a sidecar ends.
SIDECAR = sidecar_path(Path("a")).name.removeprefix("a")


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
        inputs: SHA-256 of each file that it read, by path.
    """

    sha256: str
    stage: str
    spec: Mapping[str, Any]
    code: str
    inputs: Mapping[str, str]

    def checksum_of(self, path: str, results: Path) -> str | None:
        """The recorded checksum of an input; None if it was not read.

        A results folder may have got another name since: an input is then known by its path
        within the folder.
        """
        if path in self.inputs:
            return self.inputs[path]
        if not Path(path).is_relative_to(results):
            return None
        ending = f"/{Path(path).relative_to(results).as_posix()}"
        found = [checksum for each, checksum in self.inputs.items() if each.endswith(ending)]
        return found[0] if len(found) == 1 else None


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
        record = Record(told["sha256"], told["stage"], told["spec"], told["code"], told["inputs"])
    except (KeyError, TypeError) as error:
        raise UnreadableRecordError(f"its sidecar is incomplete ({error})") from None
    texts: list[object] = [record.sha256, record.stage, record.code]
    if isinstance(record.spec, dict) and isinstance(record.inputs, dict):
        texts += [*record.inputs, *record.inputs.values()]
    else:
        texts.append(None)
    # Printed, and looked up as paths: neither goes with a NUL or a terminal's escape codes.
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise UnreadableRecordError("its sidecar is not one of this workflow's")
    return record


class Checksums:
    """SHA-256 of files as they are now, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, str | OSError] = {}

    def of(self, path: str) -> str | None:
        """A file's checksum; None if there is no such file.

        Raises:
            OSError: it is there and cannot be read.
        """
        if path not in self._known:
            try:
                self._known[path] = sha256(Path(path))
            except OSError as error:
                self._known[path] = error
        known = self._known[path]
        if isinstance(known, FileNotFoundError | NotADirectoryError):
            return None
        if isinstance(known, OSError):
            raise known
        return known
