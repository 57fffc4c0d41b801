"""JSON files, read as plain data of bounded size: certificates and sidecars."""

import json
import math
from pathlib import Path
from typing import Any

from coarsegrain.storage.refusal import refusal, refusing

# More than five times the largest that we write with 100 members; in memory some 50 MB.
MOST_BYTES = 2**21


def read_json(path: Path) -> Any:
    """Read a JSON file: numbers are finite, names in an object differ, texts are Unicode.

    Raises:
        StorageError: the file is missing, too large or something else; the sentence names it.
    """
    with refusing(path, "JSON"):
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise refusal(path, f"has more than {MOST_BYTES // 2**20} MB, which none of ours has")
        value = json.loads(
            content.decode(),
            parse_float=_finite,
            parse_constant=_finite,
            object_pairs_hook=_different,
        )
        if b"\\u" in content:  # half a surrogate pair could be neither printed nor written
            json.dumps(value, ensure_ascii=False).encode()
        return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"a number is {text}")
    return number


def _different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has two entries of one name")
    return found
