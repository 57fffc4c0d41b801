"""What staleness rests on: checksums that are remembered, and who is at work in a folder."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.staleness import checksums as module
from pipeline.staleness.checksums import RememberedChecksums
from pipeline.staleness.guard import at_work, held

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
OLD = time.time_ns() - 3600 * 10**9


@pytest.fixture
def reads(monkeypatch):
    """The files that are really read. A change a moment ago counts as settled here."""
    told = []
    real = module.sha256
    monkeypatch.setattr(module, "sha256", lambda path: told.append(path.name) or real(path))
    monkeypatch.setattr(module, "UNSETTLED", -1.0)
    return told


def checksum(folder, name="a"):
    """As a new run asks for it, which then ends."""
    sums = RememberedChecksums(folder / "memory.json")
    found = sums.of(str(folder / name))
    sums.keep()
    return found


def test_a_file_that_no_one_touched_is_read_once(tmp_path, reads):
    (tmp_path / "a").write_text("1")
    assert checksum(tmp_path) == checksum(tmp_path)
    assert reads == ["a"]


def test_a_changed_byte_is_seen_also_when_size_and_time_are_put_back(tmp_path, reads):
    path = tmp_path / "a"
    path.write_text("1")
    os.utime(path, ns=(OLD, OLD))
    before = checksum(tmp_path)
    time.sleep(0.02)  # the kernel's clock for files ticks every 4 ms
    path.write_text("2")
    os.utime(path, ns=(OLD, OLD))
    assert checksum(tmp_path) != before


def test_a_file_that_changed_a_moment_ago_is_not_remembered(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(module, "UNSETTLED", 3600.0)
    (tmp_path / "a").write_text("1")
    checksum(tmp_path)
    checksum(tmp_path)
    assert reads == ["a", "a"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff\x00"])
def test_a_damaged_memory_costs_a_reading_and_no_more(tmp_path, reads, content):
    (tmp_path / "a").write_text("1")
    before = checksum(tmp_path)
    (tmp_path / "memory.json").write_bytes(content)
    assert checksum(tmp_path) == before
    assert reads == ["a", "a"]
    assert json.loads((tmp_path / "memory.json").read_bytes())[str(tmp_path / "a")][0] == before


def test_what_cannot_be_remembered_is_still_told(tmp_path, reads):
    (tmp_path / "a").write_text("1")
    sums = RememberedChecksums(tmp_path / "no such folder" / "memory.json")
    assert sums.of(str(tmp_path / "a"))
    sums.keep()
    assert sums.of(str(tmp_path / "b")) is None
    with pytest.raises(IsADirectoryError):
        sums.of(str(tmp_path))


OTHER = """
import sys, time
from pathlib import Path
from pipeline.staleness.guard import at_work

with at_work(Path(sys.argv[1]), {"pid": 1}, start=lambda before: None):
    print("there", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_run(tmp_path):
    """Another process that is at work in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(WORKFLOW)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "there\n"
    yield process
    process.kill()
    process.wait()


def found_by_a_new_run(folder, note=None):
    found = []
    with at_work(folder, note or {}, start=found.append):
        pass
    return found[0]


def test_a_run_knows_whether_another_is_at_work(tmp_path, other_run):
    assert found_by_a_new_run(tmp_path) is None


def test_a_killed_run_is_at_work_no_more_and_leaves_its_note(tmp_path, other_run):
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    assert found_by_a_new_run(tmp_path, {"pid": 2}) == [{"pid": 1}]
    assert found_by_a_new_run(tmp_path) == [{"pid": 2}]


def test_runs_start_one_at_a_time(tmp_path):
    def start(before):
        with (
            pytest.raises(BlockingIOError),
            held(tmp_path / "starting.lock", fcntl.LOCK_EX | fcntl.LOCK_NB),
        ):
            pass

    with at_work(tmp_path, {}, start):
        pass


def test_a_run_that_may_not_start_is_not_at_work(tmp_path):
    def refuse(before):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError), at_work(tmp_path, {"pid": 3}, refuse):
        pass
    assert found_by_a_new_run(tmp_path) == []


def test_without_locks_in_the_file_system_nobody_is_taken_for_dead(tmp_path, monkeypatch):
    def flock(file, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert found_by_a_new_run(tmp_path) is None
