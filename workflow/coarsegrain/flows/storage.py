"""Flows of either kind, from files."""

from pathlib import Path

from coarsegrain.flows.flow import Flow
from coarsegrain.flows.patch_storage import patch_flow_of
from coarsegrain.flows.sublattice_storage import KIND, sublattice_flow_of
from coarsegrain.storage.refusal import refusal
from coarsegrain.storage.weights import read_weights


def read_flow(path: Path) -> tuple[Flow, dict[str, str]]:
    """Read a flow by sublattices or by patches.

    Returns:
        The flow, and the metadata that came with it.
    Raises:
        StorageError: the file is damaged or is no flow; the sentence names it.
    """
    tensors, metadata = read_weights(path)
    try:
        if metadata["kind"] == KIND:
            return sublattice_flow_of(tensors, metadata), metadata
        return patch_flow_of(tensors, metadata), metadata
    except (KeyError, ValueError):
        raise refusal(path, "holds no flow of coarsegrain") from None
