"""Flows by sublattices as files."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coarsegrain.flows.architecture import Architecture
from coarsegrain.flows.sublattice_flow import SublatticeFlow
from coarsegrain.storage.refusal import refusal
from coarsegrain.storage.weights import read_weights, write_weights

KIND = "sublattices"


def write_sublattice_flow(path: Path, flow: SublatticeFlow, metadata: Mapping[str, str]) -> None:
    """Write a flow by sublattices as safetensors.

    Args:
        path: the file, replaced if it is there.
        flow: all of it.
        metadata: more to keep with it, text by name.
    """
    shape = {name: str(value) for name, value in asdict(flow.architecture).items()}
    arrays = {"parameters": flow.parameters, "spectrum": flow.spectrum}
    write_weights(path, arrays, {**metadata, **shape, "kind": KIND})


def read_sublattice_flow(path: Path) -> tuple[SublatticeFlow, dict[str, str]]:
    """Read what ``write_sublattice_flow`` wrote.

    Returns:
        The flow, and the metadata that came with it.
    Raises:
        StorageError: the file is damaged or is no such flow; the sentence names it.
    """
    tensors, metadata = read_weights(path)
    try:
        return sublattice_flow_of(tensors, metadata), metadata
    except (KeyError, ValueError):
        raise refusal(path, "holds no flow by sublattices of coarsegrain") from None


def sublattice_flow_of(
    tensors: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]
) -> SublatticeFlow:
    """The flow of a file's arrays and metadata.

    Raises:
        KeyError: something is missing.
        ValueError: something has another shape.
    """
    if metadata["kind"] != KIND:
        raise ValueError(f"its kind is {metadata['kind']}.")
    L, couplings, hidden, bins = (
        int(metadata[name]) for name in ("L", "couplings", "hidden", "bins")
    )
    architecture = Architecture(L, couplings, hidden, bins, metadata["passes"])
    parameters, spectrum = tensors["parameters"], tensors["spectrum"]
    if parameters.shape != (architecture.size,) or spectrum.shape != (L, L):
        raise ValueError("its arrays have other shapes.")
    return SublatticeFlow(architecture, spectrum, np.asarray(parameters, dtype=np.float64))
