"""The device and the numeric threads a job computes with, decided once, at the stage's edge."""

import torch

from coarsegrain.errors import DeviceError


def choose_device(name: str) -> str:
    """Resolve ``auto``, ``cpu`` or ``cuda`` to ``cpu`` or ``cuda``, and say what it took.

    Raises:
        DeviceError: ``cuda`` was asked for and torch finds none. Never a silent fallback.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("device is cuda, but torch finds no CUDA device; use auto or cpu.")
    device = "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"
    label = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"device: {device} ({label}); asked for: {name}", flush=True)
    return device


def use_threads(number: int) -> None:
    """Compute with so many CPU threads: the order of sums, and so the last bits, depend on it."""
    torch.set_num_threads(number)
