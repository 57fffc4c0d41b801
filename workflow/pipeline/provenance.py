"""Sidecars that say where a file comes from, also when ``.snakemake/`` is gone."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = (
    "numpy", "numba", "torch", "scipy", "scikit-image", "pandas", "xarray", "h5netcdf",
    "safetensors", "matplotlib",
)  # fmt: skip


def sidecar_path(path: Path) -> Path:
    """``a/b.nc`` -> ``a/b.nc.prov.json``."""
    return path.with_name(path.name + ".prov.json")


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


def _installed_versions() -> dict[str, str]:
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions
