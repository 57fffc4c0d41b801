"""Weights of nets as safetensors files: no pickle, nothing runs when they are read.

safetensors has no checksum and stores several metadata entries in random order. So all metadata
goes, as canonical JSON and with a digest of everything, into one entry.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save

from coarsegrain.storage.refusal import refusal, refusing

Array = npt.NDArray[Any]

ENTRY = "coarsegrain"
# Names, types and shapes of the largest checkpoint take a tenth of it.
MOST_HEADER = 2**20
# Weights; step counters and states of random generators.
DTYPES = tuple(np.dtype(name) for name in ("float32", "float64", "int64", "uint8"))


def write_weights(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write named arrays; equal content gives equal bytes.

    Args:
        path: the file, replaced if it is there.
        tensors: at least one; finite float32 or float64, or int64 or uint8, any shape.
        metadata: text by name.
    Raises:
        ValueError: the arrays cannot be stored, or a number is not finite.
    """
    arrays = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    problem = _problem(arrays)
    if problem:
        raise ValueError(f"the set of weights for {path} {problem}.")
    if not all(isinstance(text, str) for item in metadata.items() for text in item):
        raise ValueError(f"the metadata for {path} must be text by name.")
    entry = {"metadata": dict(metadata), "sha256": _digest(arrays, metadata)}
    path.write_bytes(save(arrays, metadata={ENTRY: json.dumps(entry, sort_keys=True)}))


def read_weights(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read what ``write_weights`` wrote.

    Returns:
        The arrays by name, names in alphabetical order, and the metadata.
    Raises:
        StorageError: the file is missing, damaged or no set of weights; the sentence names it.
    """
    with refusing(path, "a set of weights"):
        with path.open("rb") as start:  # safetensors' own error on a missing file says less
            header = int.from_bytes(start.read(8), "little")
        if header > MOST_HEADER:  # safetensors would parse 100 MB, in ten times the memory
            raise refusal(path, f"declares a header of {header} bytes, so it is not one of ours")
        with safe_open(path, framework="numpy") as file:
            entry = (file.metadata() or {}).get(ENTRY)
            if entry is None:
                raise refusal(path, "is no set of weights of coarsegrain")
            arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        problem = _problem(arrays)
        if problem:
            raise refusal(path, problem)
        values = json.loads(entry)
        metadata = {name: str(text) for name, text in values["metadata"].items()}
        if values["sha256"] != _digest(arrays, metadata):
            raise refusal(path, "is damaged: its numbers or names are not those that were written")
        return arrays, metadata


def _problem(arrays: Mapping[str, Array]) -> str | None:
    """What is wrong with a set of arrays, if anything."""
    if not arrays:
        return "holds no arrays"
    for name, array in arrays.items():
        if array.dtype not in DTYPES:
            return f"holds {name} as {array.dtype}, not as one of {', '.join(map(str, DTYPES))}"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"holds numbers in {name} that are not finite"
    return None


def _digest(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """SHA-256 of names, types, shapes, numbers and metadata."""
    shapes = {name: [str(array.dtype), array.shape] for name, array in arrays.items()}
    sha256 = hashlib.sha256(json.dumps([shapes, dict(metadata)], sort_keys=True).encode())
    for name in sorted(arrays):
        sha256.update(arrays[name].tobytes())
    return sha256.hexdigest()
