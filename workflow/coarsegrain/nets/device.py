"""The device and the numeric threads a job computes with, decided once, at the stage's edge.

Importing torch takes a second, which a job on a CPU has no use for. So the NVIDIA driver is asked
first whether there is a GPU at all.
"""

import ctypes
import importlib.util
import os

import numpy as np  # noqa: F401  loads the BLAS whose threads are limited here
from threadpoolctl import threadpool_limits

from coarsegrain.errors import DeviceError

DRIVER = "libcuda.so.1"


def choose_device(name: str) -> str:
    """Resolve ``auto``, ``cpu`` or ``cuda`` to ``cpu`` or ``cuda``, and say what it took.

    Raises:
        DeviceError: ``cuda`` was asked for and something it needs is missing: the driver, a GPU,
            torch with CUDA, or CuPy. Never a silent fallback.
    """
    missing = "" if name == "cpu" else _missing()
    if name == "cuda" and missing:
        raise DeviceError(f"device is cuda, but {missing}; use auto or cpu.")
    device = "cpu" if name == "cpu" or missing else "cuda"
    why = f" ({missing})" if missing else ""
    print(f"device: {device}{why}; asked for: {name}", flush=True)
    return device


def _missing() -> str:
    """What is missing for a GPU, or an empty string."""
    try:
        return _missing_driver() or missing_library()
    except ImportError as error:
        return f"torch cannot be imported ({error})"


def _missing_driver() -> str:
    """Why the NVIDIA driver offers no GPU, or an empty string."""
    number = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL(DRIVER)
        error = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(number))
    except (OSError, AttributeError):
        return f"there is no NVIDIA driver ({DRIVER})"
    if error:
        listed = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = "" if listed is None else f"; CUDA_VISIBLE_DEVICES is {listed!r}"
        return f"the NVIDIA driver finds no usable GPU (its error {error}{why})"
    return "" if number.value else "the NVIDIA driver finds no GPU"


def missing_library() -> str:
    """Why the libraries that compute on a GPU cannot do so here, or an empty string.

    Raises:
        ImportError: there is no torch to ask.
    """
    import torch

    if not torch.cuda.is_available():
        return f"torch finds no CUDA device (torch {torch.__version__})"
    if importlib.util.find_spec("cupy") is None:
        return (
            "CuPy, which the sampler needs there, as do nets of one layer, is not installed "
            "(envs/requirements-gpu.lock has it)"
        )
    return ""


def use_threads(number: int) -> None:
    """Compute with so many CPU threads: the order of sums, and so the last bits, depend on it.

    This holds for the numeric libraries that are loaded by now, numpy's BLAS among them.
    """
    threadpool_limits(limits=number)
