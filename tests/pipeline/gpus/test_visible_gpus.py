"""The GPUs that a process may use are the driver's, by whatever words they are listed."""

import ctypes
import subprocess

import pytest

from pipeline.gpus.driver import LIBRARY

pytest_plugins = ["stand_in_driver"]


def test_gpus_that_are_listed_are_the_only_ones_taken_by_whatever_word(machine):
    box = machine(3)
    second = box.job(CUDA_VISIBLE_DEVICES="1")
    assert second.line() == f"GPU 1 of 1: Stand-in 1 ({box.uuid(1)})"
    by_uuid = box.job(CUDA_VISIBLE_DEVICES=f"GPU-{box.uuid(1)}")
    assert by_uuid.line() == "waiting for a GPU: the only one is in use"
    in_reverse = box.job(CUDA_VISIBLE_DEVICES="1,2")
    assert in_reverse.line() == f"GPU 2 of 2: Stand-in 2 ({box.uuid(2)})"
    any_gpu = box.job()
    assert any_gpu.line() == f"GPU 1 of 3: Stand-in 0 ({box.uuid(0)})"


@pytest.mark.parametrize("listed", ["", "-1", "NoDevFiles", "7"])
def test_where_no_gpu_is_listed_none_is_claimed(machine, listed):
    job = machine(2).job(CUDA_VISIBLE_DEVICES=listed)
    assert job.line() == f"holds None {listed}".strip()


def test_instances_of_a_split_gpu_are_told_apart(machine):
    box = machine(3, STAND_IN_SPLIT="1")
    listed = f"MIG-{box.uuid(2)},MIG-{box.uuid(1)}"
    for k, instance in enumerate((2, 1)):
        job = box.job(CUDA_VISIBLE_DEVICES=listed)
        assert job.line() == f"GPU {k + 1} of 2: Stand-in {instance} ({box.uuid(instance)})"
        assert job.line() == f"holds {instance} MIG-{box.uuid(instance)}"
    unlisted = box.job()
    assert unlisted.line() == f"GPU 1 of 1: Stand-in 0 ({box.uuid(0)})"
    assert unlisted.line() == "holds 0 None"


ASKED_BEFORE = """
import ctypes, os
from pipeline.gpus import claim_gpu
first = claim_gpu()
assert claim_gpu() is first
driver, number, device = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(), ctypes.c_int()
uuid = ctypes.create_string_buffer(16)
assert driver.cuInit(0) == 0, "CUDA was asked before"
assert driver.cuDeviceGetCount(ctypes.byref(number)) == 0
assert driver.cuDeviceGet(ctypes.byref(device), 0) == 0
assert driver.cuDeviceGetUuid_v2(uuid, device) == 0
print(number.value, uuid.raw.hex() == first.gpu.uuid.replace("-", ""))
"""


def test_a_process_claims_once_and_cuda_then_finds_that_gpu_alone(machine):
    box = machine(3)
    next(each for each in box.job().lines() if each.startswith("holds"))
    assert box.says(ASKED_BEFORE).splitlines() == [
        f"GPU 2 of 3: Stand-in 1 ({box.uuid(1)})",
        "1 True",
    ]


def gpu_is_there():
    try:
        return ctypes.CDLL(LIBRARY).cuInit(0) == 0
    except OSError:
        return False


@pytest.mark.gpu
@pytest.mark.skipif(not gpu_is_there(), reason="no NVIDIA driver with a GPU")
def test_the_real_driver_shows_the_claimed_gpu_alone(machine):
    box = machine(0)
    box.variables.clear()
    *_, gpu, found = box.says(ASKED_BEFORE).splitlines()
    assert gpu.startswith("GPU ")
    assert found == "1 True"


def test_without_a_driver_nothing_is_asked_and_nothing_heavy_is_imported(machine):
    box = machine(1)
    box.variables["LD_LIBRARY_PATH"] = ""
    program = """
import subprocess, sys
from pipeline.gpus import claim, driver, take_device
driver.LIBRARY = "libno-such-driver.so.1"
subprocess.run = None
claim._has_cupy = lambda: True
print(take_device("auto", lambda name: "cpu"), {"torch", "numpy", "cupy"} & set(sys.modules))
"""
    assert box.says(program) == "cpu set()"


def test_a_driver_that_finds_no_usable_gpu_shows_none(machine):
    assert machine(1, STAND_IN_FAULT="802").job().line() == "holds None None"


def test_a_driver_that_breaks_off_is_told(machine):
    *_, told = machine(1, STAND_IN_FAULT="crash").job().lines()
    assert told.endswith(
        "the NVIDIA driver cannot be asked for its GPUs (exit status -9); see whether nvidia-smi "
        "works, or use cpu."
    )


def test_a_driver_too_old_to_name_its_gpus_shows_none(machine, tmp_path):
    source, library = tmp_path / "old.c", tmp_path / "libcuda.so.1"
    source.write_text(
        "int cuInit(unsigned f) { return 0; } int cuDeviceGetCount(int *n) { *n = 1; return 0; }"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    assert machine(1).job(LD_LIBRARY_PATH=str(tmp_path)).line() == "holds None None"
