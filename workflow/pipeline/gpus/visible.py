"""The GPUs that the NVIDIA driver shows to this process, without binding it to them."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from coarsegrain.errors import DeviceError
from pipeline.gpus import driver

VARIABLE = "CUDA_VISIBLE_DEVICES"
#: How it names an instance of a GPU that is split.
SPLIT = "MIG-"


@dataclass(frozen=True)
class Gpu:
    """A GPU, or an instance of one that is split (MIG).

    Attributes:
        uuid: the driver's name of it, the same for every process, whatever is visible to it.
        name: of the model.
        visible: what CUDA_VISIBLE_DEVICES must be for this one alone.
    """

    uuid: str
    name: str
    visible: str


def visible_gpus() -> list[Gpu]:
    """The GPUs that this process may use, in the order in which CUDA numbers them.

    Where CUDA_VISIBLE_DEVICES is set, by the user or by a cluster, they are those it lists.

    Raises:
        DeviceError: the driver is there, but asking it broke off.
    """
    try:
        ctypes.CDLL(driver.LIBRARY)
    except OSError:
        return []
    words = [word.strip() for word in os.environ.get(VARIABLE, "").split(",")]
    if not words[0].startswith(SPLIT):
        return [Gpu(uuid, name, f"GPU-{uuid}") for uuid, name in _asked(os.environ)]
    # CUDA shows a process one instance, though several be listed: each is asked for by itself.
    found = ((word, _asked({**os.environ, VARIABLE: word})[:1]) for word in words)
    return [Gpu(uuid, name, word) for word, each in found for uuid, name in each]


def _asked(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """UUID and name of every GPU that the driver shows in an environment."""
    asked = subprocess.run(
        [sys.executable, "-I", "-S", driver.__file__],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(asked.stdout)
    except ValueError:
        said = asked.stderr.strip().splitlines()
        raise DeviceError(
            f"the NVIDIA driver cannot be asked for its GPUs (exit status {asked.returncode}"
            f"{', ' + said[-1] if said else ''}); see whether nvidia-smi works, or use cpu."
        ) from None
    return [(str(UUID(uuid)), name) for uuid, name in answer.get("gpus", ())]
