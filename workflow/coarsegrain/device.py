"""The device a job computes with: the one that was asked for, or an error.

Importing torch or CuPy takes a second, which a job on a CPU has no use for. So the NVIDIA driver is
asked first whether there is a GPU at all.

The two are imported by name, not by import statements: the digest of a stage follows import
statements, and a new torch must not make a stage run again that only asks for it here.
"""

import ctypes
import importlib
import importlib.util
import os
from typing import Any, Literal

from coarsegrain.errors import DeviceError

DRIVER = "libcuda.so.1"
#: What computes on a GPU: nets with torch and CuPy, the sampler with CuPy alone.
Library = Literal["torch", "cupy"]
ALL_LIBRARIES: tuple[Library, ...] = ("torch", "cupy")


def choose_device(
    name: str, libraries: tuple[Library, ...] = ALL_LIBRARIES, *, say: bool = True
) -> str:
    """Resolve ``auto``, ``cpu`` or ``cuda`` to ``cpu`` or ``cuda``.

    Args:
        name: what was asked for.
        libraries: what is needed to compute on a GPU.
        say: whether to print what it took, and why.
    Raises:
        DeviceError: ``cuda`` was asked for and something it needs is missing: the driver, a GPU,
            torch with CUDA, or CuPy. Never a silent fallback.
        ValueError: another name.
    """
    if name not in ("cpu", "cuda", "auto"):
        raise ValueError(f'device is {name!r}; it must be "cpu", "cuda" or "auto".')
    missing = "" if name == "cpu" else missing_for_a_gpu(libraries)
    if missing and name == "cuda":
        raise DeviceError(f"device is cuda, but {missing}; use auto or cpu.")
    device = "cpu" if name == "cpu" or missing else "cuda"
    if say:
        why = f" ({missing})" if missing else ""
        print(f"device: {device}{why}; asked for: {name}", flush=True)
    return device


def missing_for_a_gpu(libraries: tuple[Library, ...] = ALL_LIBRARIES) -> str:
    """What is missing for a GPU, or an empty string."""
    try:
        return _missing_driver() or missing_library(libraries)
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


def missing_library(libraries: tuple[Library, ...] = ALL_LIBRARIES) -> str:
    """Why the libraries that compute on a GPU cannot do so here, or an empty string.

    Raises:
        ImportError: there is no torch to ask.
    """
    if "torch" in libraries:
        torch = importlib.import_module("torch")
        if not torch.cuda.is_available():
            return f"torch finds no CUDA device (torch {torch.__version__})"
    if "cupy" in libraries and importlib.util.find_spec("cupy") is None:
        return "CuPy, which computes there, is not installed (envs/requirements-gpu.lock has it)"
    return ""


def import_cupy() -> Any:
    """Import CuPy, when a GPU is to be used.

    Raises:
        DeviceError: it cannot be imported.
    """
    try:
        return importlib.import_module("cupy")
    except ImportError as error:
        raise DeviceError(
            f"device is cuda, but CuPy cannot be imported ({error}): "
            "install envs/requirements-gpu.lock, or use cpu."
        ) from error
