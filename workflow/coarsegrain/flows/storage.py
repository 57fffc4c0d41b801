"""Flows as files."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.flow import Flow
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.storage.refusal import refusal
from coarsegrain.storage.weights import read_weights, write_weights

if TYPE_CHECKING:  # the flow by sublattices does not need torch
    from coarsegrain.flows.patch_flow import PatchFlow

SUBLATTICES, PATCHES = "sublattices", "patches"


def write_sublattice_flow(path: Path, flow: SublatticeFlow, metadata: Mapping[str, str]) -> None:
    """Write a flow by sublattices as safetensors.

    Args:
        path: the file, replaced if it is there.
        flow: all of it.
        metadata: more to keep with it, text by name.
    """
    shape = {name: str(value) for name, value in asdict(flow.architecture).items()}
    arrays = {"parameters": flow.parameters, "spectrum": flow.spectrum}
    write_weights(path, arrays, {**metadata, **shape, "kind": SUBLATTICES})


def write_patch_flow(path: Path, flow: "PatchFlow", metadata: Mapping[str, str]) -> None:
    """Write a flow by patches as safetensors; arguments as above."""
    architecture = flow.architecture
    shape = {
        "L": str(architecture.L),
        "couplings": str(architecture.couplings),
        "hidden": " ".join(map(str, architecture.hidden)),
        "depth": str(architecture.scales),
    }
    write_weights(path, flow.weights(), {**metadata, **shape, "kind": PATCHES})


def read_flow(path: Path) -> tuple[Flow, dict[str, str]]:
    """Read a flow of either kind.

    Returns:
        The flow, in float32, and the metadata that came with it.
    Raises:
        StorageError: the file is damaged or is no flow; the sentence names it.
    """
    tensors, metadata = read_weights(path)
    try:
        if metadata["kind"] == SUBLATTICES:
            names = ("L", "couplings", "hidden", "bins")
            architecture = Architecture(*(int(metadata[name]) for name in names))
            if (
                tensors["parameters"].shape == (architecture.size,)
                and tensors["spectrum"].shape == (architecture.L,) * 2
            ):
                spectrum, parameters = tensors["spectrum"], tensors["parameters"]
                return SublatticeFlow(architecture, spectrum, parameters), metadata
        elif metadata["kind"] == PATCHES:
            import torch

            from coarsegrain.flows.patch_architecture import PatchArchitecture
            from coarsegrain.flows.patch_flow import PatchFlow

            hidden = tuple(map(int, metadata["hidden"].split()))
            L, couplings, depth = (int(metadata[name]) for name in ("L", "couplings", "depth"))
            shape = PatchArchitecture(L, couplings, hidden, depth)
            return PatchFlow(shape, tensors, dtype=torch.float32), metadata
    except (KeyError, ValueError):
        pass
    raise refusal(path, "holds no flow of coarsegrain")
