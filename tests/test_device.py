"""The device is what was asked for, or there is an error: never a silent fallback."""

import ctypes
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from coarsegrain import device
from coarsegrain.device import choose_device
from coarsegrain.errors import DeviceError
from coarsegrain.threads import use_threads
from waiting import LIMIT

WORKFLOW = Path(__file__).resolve().parents[1] / "workflow"


class Driver:
    """An NVIDIA driver that finds so many GPUs, or fails with an error of its own."""

    def __init__(self, gpus, error=0):
        self._gpus, self._error = gpus, error

    def cuInit(self, flags):
        return self._error

    def cuDeviceGetCount(self, number):
        number._obj.value = self._gpus
        return 0


def absent(name):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.fixture
def machine(monkeypatch):
    """Make this machine one with such a driver, torch and CuPy."""

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def describe(*, driver, torch_finds_it=True, cupy=True):
        monkeypatch.setattr(ctypes, "CDLL", (lambda name: driver) if driver else absent)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: torch_finds_it)
        found = object() if cupy else None
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)

    return describe


LACKS = [
    ({"driver": None}, r"there is no NVIDIA driver \(libcuda\.so\.1\)"),
    ({"driver": object()}, r"there is no NVIDIA driver \(libcuda\.so\.1\)"),
    ({"driver": Driver(0)}, "the NVIDIA driver finds no GPU"),
    ({"driver": Driver(1, error=100)}, r"the NVIDIA driver finds no usable GPU \(its error 100\)"),
    ({"driver": Driver(1), "torch_finds_it": False}, "torch finds no CUDA device"),
    ({"driver": Driver(1), "cupy": False}, "CuPy, which computes there, is not installed"),
]


@pytest.mark.parametrize(("parts", "missing"), LACKS)
def test_cuda_with_a_part_missing_is_an_error_that_names_the_part_and_a_way_out(
    machine, parts, missing
):
    machine(**parts)
    with pytest.raises(DeviceError, match=f"device is cuda, but {missing}.*; use auto or cpu"):
        choose_device("cuda")


@pytest.mark.parametrize(("parts", "missing"), LACKS)
def test_auto_with_a_part_missing_takes_the_cpu_and_says_why(machine, parts, missing, capsys):
    machine(**parts)
    assert choose_device("auto") == "cpu"
    told = capsys.readouterr().out
    assert told.startswith("device: cpu (")
    assert missing.partition(" ")[0] in told
    assert "asked for: auto" in told


def test_an_error_of_the_driver_comes_with_the_gpus_that_are_listed(machine, monkeypatch):
    machine(driver=Driver(0, error=100))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    with pytest.raises(DeviceError, match=r"\(its error 100; CUDA_VISIBLE_DEVICES is '7'\)"):
        choose_device("cuda")


def test_a_missing_torch_is_named(machine, monkeypatch):
    machine(driver=Driver(1))
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails
    with pytest.raises(DeviceError, match="torch cannot be imported"):
        choose_device("cuda")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_gpu_with_all_that_it_needs_is_taken(machine, name, capsys):
    machine(driver=Driver(2))
    assert choose_device(name) == "cuda"
    assert capsys.readouterr().out == f"device: cuda; asked for: {name}\n"


def test_what_needs_cupy_alone_does_not_ask_torch(machine):
    machine(driver=Driver(1), torch_finds_it=False)
    assert choose_device("cuda", ("cupy",)) == "cuda"
    machine(driver=Driver(1), cupy=False)
    with pytest.raises(DeviceError, match="CuPy"):
        choose_device("cuda", ("cupy",))


def test_cpu_is_cpu_also_where_there_is_a_gpu(machine, capsys):
    machine(driver=Driver(1))
    assert choose_device("cpu") == "cpu"
    assert capsys.readouterr().out == "device: cpu; asked for: cpu\n"


def test_a_device_of_another_name_is_named_in_a_sentence():
    with pytest.raises(ValueError, match=r'device is .tpu.; it must be "cpu", "cuda" or "auto"\.'):
        choose_device("tpu")


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_without_a_driver_torch_is_not_imported(name):
    program = f"""
import sys
from coarsegrain import device
device.DRIVER = "libno-such-driver.so.1"
assert device.choose_device({name!r}) == "cpu"
assert "torch" not in sys.modules
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(WORKFLOW), *sys.path])}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=LIMIT)


def test_this_machine_has_a_device_of_one_kind_or_the_other(capsys):
    chosen = choose_device("auto")
    assert (chosen == "cuda") == (not device.missing_for_a_gpu())
    assert f"device: {chosen}" in capsys.readouterr().out


@pytest.mark.parametrize("number", [1, 2])
def test_the_blas_of_numpy_uses_as_many_threads_as_asked_for(number):
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits():  # puts back what it finds
        use_threads(number)
        threads = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
    assert threads
    assert set(threads) == {number}
