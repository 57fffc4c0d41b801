"""Flows by patches as files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from coarsegrain.flows.patch_architecture import PatchArchitecture
from coarsegrain.flows.patch_flow import PatchFlow
from coarsegrain.storage.weights import write_weights

KIND = "patches"


def write_patch_flow(path: Path, flow: PatchFlow, metadata: Mapping[str, str]) -> None:
    """Write a flow by patches as safetensors.

    Args:
        path: the file, replaced if it is there.
        flow: all of it.
        metadata: more to keep with it, text by name.
    """
    architecture = flow.architecture
    shape = {
        "L": str(architecture.L),
        "couplings": str(architecture.couplings),
        "hidden": " ".join(map(str, architecture.hidden)),
        "depth": str(architecture.scales),
        "symmetric": "yes" if architecture.symmetric else "no",
    }
    write_weights(path, flow.weights(), {**metadata, **shape, "kind": KIND})


def patch_flow_of(
    tensors: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]
) -> PatchFlow:
    """The flow of a file's arrays and metadata.

    Raises:
        KeyError: something is missing.
        ValueError: something is not as it should be.
    """
    if metadata["kind"] != KIND:
        raise ValueError(f"its kind is {metadata['kind']}.")
    hidden = tuple(map(int, metadata["hidden"].split()))
    L, couplings, depth = (int(metadata[name]) for name in ("L", "couplings", "depth"))
    symmetric = {"yes": True, "no": False}[metadata["symmetric"]]
    return PatchFlow(PatchArchitecture(L, couplings, hidden, depth, symmetric), tensors)
