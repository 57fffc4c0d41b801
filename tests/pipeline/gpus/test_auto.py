"""``device: auto`` is settled by the process that plans, before any spec is made of it."""

import json
import os
import sys
from subprocess import run

import pytest

from coarsegrain import device
from pipeline.gpus import auto, settled_device

pytest_plugins = ["stand_in_driver"]

# In place of CuPy and of a torch that finds the GPU of the stand-in driver.
LIBRARIES = {
    "cupy.py": "",
    "torch.py": "class cuda:\n    is_available = staticmethod(lambda: True)\n",
}
SPECS = """
import json, sys
from pipeline.job_list import list_jobs
print(json.dumps({job.outputs[0]: job.spec for job in list_jobs(sys.argv[1:]) if job.outputs}))
"""
NAMES = ("cpu", "cuda", "auto")
SET = "results/smoke/lattices/local_entropy.nc"


@pytest.fixture
def machine_lacks(monkeypatch):
    """Say what this machine lacks for a GPU; return what is asked of it."""
    monkeypatch.delenv(auto.SETTLED, raising=False)

    def describe(missing):
        asked = []

        def lacks(libraries):
            asked.append(libraries)
            return missing

        monkeypatch.setattr(auto, "missing_for_a_gpu", lacks)
        return asked

    return describe


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_a_device_that_was_said_is_that_one(machine_lacks, name):
    asked = machine_lacks("it")
    for plans in (True, False):
        assert settled_device(name, plans=plans, cluster=plans) == (name, "")
    assert asked == []


def test_auto_is_a_gpu_where_one_can_compute_and_else_the_cpu_and_it_is_told_why(machine_lacks):
    machine_lacks("")
    assert settled_device("auto", plans=True, cluster=False) == ("cuda", "")
    asked = machine_lacks("there is no NVIDIA driver")
    assert settled_device("auto", plans=True, cluster=False) == ("cpu", "there is no NVIDIA driver")
    assert asked == [("cupy",)]  # torch takes seconds


def test_on_a_cluster_auto_is_the_cpu_whatever_is_here(machine_lacks):
    asked = machine_lacks("")
    assert settled_device("auto", plans=True, cluster=True)[0] == "cpu"
    assert asked == []


@pytest.mark.parametrize("there", ["cpu", "cuda"])
def test_a_process_of_one_job_goes_by_what_the_one_that_planned_found(machine_lacks, there):
    machine_lacks("" if there == "cuda" else "it")
    settled_device("auto", plans=True, cluster=False)
    asked = machine_lacks("it" if there == "cuda" else "")
    assert settled_device("auto", plans=False, cluster=False)[0] == there
    assert asked == []


def test_a_process_of_one_job_that_was_told_nothing_takes_the_cpu(machine_lacks):
    machine_lacks("")
    assert settled_device("auto", plans=False, cluster=False)[0] == "cpu"


def planned(checkout, name, **variables):
    """The specs of all jobs of the smoke preset with a device, by output."""
    preset = checkout.path / "workflow" / "presets" / "smoke.yaml"
    words = ["--cores", "1", "--configfile", str(preset), "--config", f"device={name}"]
    done = run(
        [sys.executable, "-c", SPECS, *words],
        cwd=checkout.path,
        env={**os.environ, "PYTHONPATH": "workflow", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def with_libraries(checkout):
    """The checkout, with libraries that find a GPU."""
    for name, text in LIBRARIES.items():
        (checkout.path / "workflow" / name).write_text(text)
    return checkout


@pytest.mark.slow
@pytest.mark.skipif(not device.missing_for_a_gpu(("cupy",)), reason="there may be a GPU")
def test_without_a_gpu_auto_makes_the_specs_of_the_cpu(checkout):
    assert planned(checkout, "auto") == planned(checkout, "cpu")


@pytest.mark.slow
def test_with_a_gpu_auto_makes_the_specs_of_cuda(with_libraries, machine):
    variables = machine(1).variables
    cpu, cuda, auto_ = (planned(with_libraries, each, **variables) for each in NAMES)
    assert auto_ == cuda
    changed = {output for output in cpu if cpu[output] != cuda[output]}
    trainings = {output for output in cpu if "device" in cpu[output]}
    assert len(trainings) > 10
    assert changed == {*trainings, "results/smoke/report.html"}  # which holds the config


@pytest.mark.slow
def test_a_process_that_reads_the_rules_again_makes_the_job_that_was_planned(
    with_libraries, machine
):
    words = [SET, "--dry-run", "--printshellcmds", "--config", "device=auto"]
    for mode, settled, expected in (
        ("remote", "cpu", "cpu"),
        ("remote", "cuda", "cuda"),
        ("default", "cpu", "cuda"),
    ):
        variables = {**machine(1).variables, auto.SETTLED: settled}
        told = with_libraries.smoke("--mode", mode, *words, variables=variables)
        assert f" --device {expected} " in told.stdout, told.stdout
