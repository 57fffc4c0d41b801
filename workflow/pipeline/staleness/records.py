"""What a sidecar says, also when a disk or a copy has spoilt it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coarsegrain.errors import CoarsegrainError
from pipeline.provenance import sidecar_path

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
        inputs: what it read: by option of the stage, (path, SHA-256) of each file in their order.
    """

    sha256: str
    stage: str
    spec: Mapping[str, Any]
    code: str
    inputs: Mapping[str, Sequence[tuple[str, str]]]


def read_record(path: Path) -> Record:
    """Read the sidecar of the file ``path``.

    Raises:
        UnreadableRecordError: there is none, or it is not one of ours.
    """
    try:
        told = json.loads(sidecar_path(path).read_bytes())
    except FileNotFoundError:
        raise UnreadableRecordError("its sidecar is missing") from None
    except OSError as error:
        raise UnreadableRecordError(f"its sidecar cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):  # no JSON, or no text
        raise UnreadableRecordError("its sidecar is no JSON") from None
    try:
        if told["file"] != path.name:
            raise UnreadableRecordError(f"its sidecar is that of {str(told['file'])[:80]!r}")
        inputs = {
            option: [(str(each["file"]), str(each["sha256"])) for each in files]
            for option, files in told["inputs"].items()
        }
        record = Record(told["sha256"], told["stage"], told["spec"], told["code"], inputs)
    except (KeyError, TypeError, AttributeError):
        raise UnreadableRecordError("its sidecar is not one of this version's") from None
    texts = (record.sha256, record.stage, record.code)
    if not all(isinstance(text, str) for text in texts) or not isinstance(record.spec, dict):
        raise UnreadableRecordError("its sidecar is not one of this version's")
    return record
