"""A job has a GPU to itself, or shares it with as many as told; nobody waits for the dead."""

import collections
import os
import signal
import socket
import sys

import pytest

from coarsegrain.errors import DeviceError
from pipeline.config import SCHEMA
from pipeline.gpus import Gpu, claim, gpu_slots, take_device

pytest_plugins = ["stand_in_driver"]

TWO = {"COARSEGRAIN_JOBS_PER_GPU": "2"}


def holding(job):
    """The number of the GPU that a job holds now, after what it says before."""
    return next(line.split()[1] for line in job.lines() if line.startswith("holds"))


CROWD = """
import os, sys, time
from pipeline.gpus import claim
claim.SECONDS_BETWEEN_TRIES = 0.02
sys.stdin.readline()
journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
gpu = claim.claim_gpu().gpu.uuid[-1]
os.write(journal, f"begin {gpu}\\n".encode())
time.sleep(0.15)
os.write(journal, f"end {gpu}\\n".encode())
"""


@pytest.mark.parametrize("jobs_per_gpu", [1, 2])
def test_of_many_jobs_no_more_than_told_are_ever_on_a_gpu_and_all_end(
    machine, tmp_path, jobs_per_gpu
):
    box, journal = machine(2), tmp_path / "journal"
    journal.touch()
    told = {"COARSEGRAIN_JOBS_PER_GPU": str(jobs_per_gpu)}
    jobs = [box.job(sys.executable, "-c", CROWD, journal, **told) for _ in range(8)]
    for job in jobs:  # all at once
        job.tell("begin")
    assert [job.end() for job in jobs] == [0] * 8
    on, most = collections.Counter(), collections.Counter()
    for line in journal.read_text().splitlines():
        what, gpu = line.split()
        on[gpu] += 1 if what == "begin" else -1
        most[gpu] = max(most[gpu], on[gpu])
    assert max(most.values()) <= jobs_per_gpu
    assert on == {"0": 0, "1": 0}


def test_a_job_says_which_gpu_it_has_and_sees_no_other(machine):
    box = machine(2)
    for gpu in (0, 1):
        job = box.job()
        assert job.line() == f"GPU {gpu + 1} of 2: Stand-in {gpu} ({box.uuid(gpu)})"
        assert job.line() == f"holds {gpu} GPU-{box.uuid(gpu)}"


def test_a_job_that_waits_says_so_now_and_then_and_goes_on_when_one_is_free(machine):
    box = machine(2)
    first, second = box.job(), box.job()
    assert {holding(first), holding(second)} == {"0", "1"}
    third = box.job()
    assert third.line() == "waiting for a GPU: all 2 are in use"
    assert third.line().startswith("still waiting for a GPU, for 0 s now")
    second.end()
    assert any(line.endswith("of waiting") for line in third.lines() if line.startswith("GPU"))
    fourth = box.job()
    assert fourth.line() == "waiting for a GPU: all 2 are in use"


def test_a_killed_job_holds_nothing(machine):
    box = machine(1)
    first = box.job()
    holding(first)
    second = box.job()
    assert second.line() == "waiting for a GPU: the only one is in use"
    assert first.send(signal.SIGKILL) == -signal.SIGKILL
    assert holding(second) == "0"


ANOTHER_USER = """
import os, sys
from pipeline.gpus import Gpu
from pipeline.gpus.claim import SHARES, _names
os.setuid(65534)
for uuid in sys.stdin.readline().split():
    print(len(_names(Gpu(uuid, "Stand-in", uuid), range(SHARES))), flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_claim_holds_against_jobs_of_other_users(machine):
    box = machine(2)
    holding(box.job())
    job = box.job(sys.executable, "-c", ANOTHER_USER)
    job.tell(f"{box.uuid(0)} {box.uuid(1)}")
    assert [job.line(), job.line()] == ["0", str(claim.SHARES)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_waits_ends_at_once_when_asked(machine, number):
    box = machine(1)
    first = box.job()
    holding(first)
    second = box.job()
    second.line()
    assert second.send(number) == -number
    assert all("holds" not in line for line in second.lines())


def test_exactly_as_many_share_a_gpu_as_are_told_and_empty_ones_come_first(machine):
    box = machine(2)
    jobs = [box.job(**TWO) for _ in range(4)]
    lines = [job.line() for job in jobs]
    assert all(line.endswith(", shared by up to 2 jobs") for line in lines)
    assert sorted(map(holding, jobs)) == ["0", "0", "1", "1"]
    fifth = box.job(**TWO)
    assert fifth.line() == "waiting for a GPU: all 2 are in use"
    in_order = machine(2)
    assert [holding(in_order.job(**TWO)) for _ in range(3)] == ["0", "1", "0"]


def test_a_job_that_is_to_be_alone_and_jobs_that_may_share_keep_apart(machine):
    box = machine(1)
    sharing = box.job(**TWO)
    holding(sharing)
    alone = box.job()
    assert alone.line() == "waiting for a GPU: the only one is in use"
    sharing.end()
    holding(alone)
    late = box.job(**TWO)
    assert late.line() == "waiting for a GPU: the only one is in use"
    alone.end()
    assert holding(late) == "0"


@pytest.mark.parametrize("text", ["0", "17", "-1", "1.5", "two", ""])
def test_a_wrong_number_of_jobs_per_gpu_is_told(machine, text):
    box = machine(1)
    told = box.says(
        "from pipeline.gpus import claim; claim._sharing()", COARSEGRAIN_JOBS_PER_GPU=text
    )
    assert told.endswith(
        f"COARSEGRAIN_JOBS_PER_GPU is {text!r}; it must be an integer from 1 to 16."
    )


def test_the_config_lets_as_many_share_a_gpu_as_there_are_shares():
    assert SCHEMA["properties"]["jobs_per_gpu"]["maximum"] == claim.SHARES


def test_a_machine_on_which_nothing_can_be_held_is_told(monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket.socket, "bind", refused)
    monkeypatch.setattr(claim, "visible_gpus", lambda: [Gpu("1234", "Stand-in", "GPU-1234")])
    with pytest.raises(
        DeviceError, match=r"GPU 1234 cannot be claimed .*\(Operation not permitted"
    ):
        claim.claim_gpu()


class Claimed:
    """In place of ``claim_gpu``: notes what is asked of it."""

    def __init__(self, there=True):
        self.there, self.events = there, []

    def __call__(self):
        self.events.append("claim")
        return self if self.there else None

    def release(self):
        self.events.append("release")

    def choose(self, device):
        def chosen(name):
            self.events.append(name)
            return device

        return chosen


@pytest.fixture
def claimed(monkeypatch):
    def placed(there=True, cupy=True):
        made = Claimed(there)
        monkeypatch.setattr(claim, "claim_gpu", made)
        monkeypatch.setattr(claim, "_has_cupy", lambda: cupy)
        return made

    return placed


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_gpu_is_claimed_before_anything_asks_cuda_and_kept(claimed, name):
    events = claimed()
    assert take_device(name, events.choose("cuda")) == "cuda"
    assert events.events == ["claim", name]


def test_a_claim_is_given_back_where_the_cpu_computes_after_all(claimed):
    events = claimed()
    assert take_device("auto", events.choose("cpu")) == "cpu"
    assert events.events == ["claim", "auto", "release"]


@pytest.mark.parametrize(("name", "cupy"), [("cpu", True), ("auto", False)])
def test_nothing_is_claimed_for_what_can_only_compute_on_the_cpu(claimed, name, cupy):
    events = claimed(cupy=cupy)
    assert take_device(name, events.choose("cpu")) == "cpu"
    assert events.events == [name]


def test_no_job_computes_on_a_gpu_that_it_did_not_claim(claimed):
    events = claimed(there=False)
    with pytest.raises(DeviceError, match="the NVIDIA driver shows none to claim"):
        take_device("auto", events.choose("cuda"))


@pytest.mark.parametrize(("device", "slots"), [("cuda", 6), ("cpu", 0)])
def test_slots_are_those_of_all_gpus_where_jobs_look_for_one(monkeypatch, device, slots):
    monkeypatch.setattr(claim, "visible_gpus", lambda: ["one", "another"])
    assert gpu_slots(device, 3) == slots
