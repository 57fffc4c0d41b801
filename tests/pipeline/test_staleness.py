"""What staleness rests on: remembered checksums, and what is left as it is."""

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from pipeline.sidecars import is_made_from, sha256, sidecar_path, write_sidecar
from pipeline.staleness import checksums as module
from pipeline.staleness.checksums import RememberedChecksums

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


# ---- Early cutoff: what already is what would be made is left as it is ----

MADE = {"stage": "stages.a", "spec": {"l1": 0.5, "sizes": [1, 2]}, "code": "c0de"}


def made(folder, content="result", **changes):
    """Write an output and its sidecar, made from the file ``input``."""
    path, source = folder / "output", folder / "input"
    path.write_text(content)
    source.write_text("source")
    record = {**MADE, "inputs": {"lattices": [(source, sha256(source))]}, **changes}
    write_sidecar(path, content=path, facts={"device": "cpu"}, **record)
    return path, record


def test_an_output_made_from_the_same_is_known_whatever_its_inputs_are_called(tmp_path):
    path, record = made(tmp_path)
    assert is_made_from(path, **record)
    ((_, checksum),) = record["inputs"]["lattices"]
    assert is_made_from(path, **{**record, "inputs": {"lattices": [(Path("else"), checksum)]}})


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "stages.b"},
        {"code": "0ther"},
        {"spec": {"l1": 0.25, "sizes": [1, 2]}},
        {"spec": {"l1": 0.5, "sizes": [1, 2.0]}},
        {"spec": {"l1": 0.5, "sizes": [2, 1]}},
        {"inputs": {}},
        {"inputs": {"lattices": []}},
        {"inputs": {"lattices": [(Path("input"), "0" * 64)]}},
    ],
)
def test_an_output_made_from_anything_else_is_made_again(tmp_path, change):
    path, record = made(tmp_path)
    assert not is_made_from(path, **{**record, **change})


def test_inputs_that_change_places_make_again(tmp_path):
    a, b = (Path("a"), "1" * 64), (Path("b"), "2" * 64)
    path, record = made(tmp_path, inputs={"lattices_in": [a], "lattices_out": [b]})
    swapped = {"lattices_in": [b], "lattices_out": [a]}
    assert not is_made_from(path, **{**record, "inputs": swapped})


def test_a_damaged_output_or_sidecar_is_made_again(tmp_path):
    path, record = made(tmp_path)
    path.write_text("resulT")
    assert not is_made_from(path, **record)
    for text in ("", "[]", '{"file": "output"}', '{"inputs": [1]}'):
        path, record = made(tmp_path)
        sidecar_path(path).write_text(text)
        assert not is_made_from(path, **record)
    path.unlink()
    assert not is_made_from(path, **record)


@pytest.mark.slow
def test_a_file_remade_with_the_same_bytes_makes_nothing_after_it_anew(smoke_run, tmp_path):
    copy = dataclasses.replace(smoke_run, path=tmp_path / "copy")
    shutil.copytree(smoke_run.path, copy.path)
    results = copy.path / "results/smoke"
    net = "results/smoke/nets/CG-64-32/member-0.losses.csv"
    lattices = results / "lattices/critical/CG-64-32/member-0.nc"
    before = {path: path.stat().st_ino for path in results.rglob("*") if path.is_file()}
    content = lattices.read_bytes()
    lattices.write_bytes(content[:-9] + b"hit" + content[-6:])
    run = copy.smoke(net)
    assert run.returncode == 0, run.stdout
    assert lattices.read_bytes() == content
    log = results / "logs/train_net/CG-64-32/member-0.log"
    assert "left as it is" in log.read_text()
    anew = {
        path.relative_to(results).parts[0]
        for path in results.rglob("*")
        if path.is_file() and path.stat().st_ino != before.get(path)
    }
    assert anew - {"benchmarks"} == {"lattices", "logs"}
    sets = {path for path in before if "member-0.nc" in path.name}
    remade = {path for path in sets if path.stat().st_ino != before[path]}
    assert remade == {lattices, sidecar_path(lattices)}
    # Forced, all of it is computed.
    run = copy.smoke(net, "--forcerun", "train_net", "--until", "train_net")
    assert run.returncode == 0, run.stdout
    assert "left as it is" not in log.read_text()


@pytest.mark.slow
def test_a_job_that_fails_leaves_the_result_there_was(smoke_run, tmp_path):
    copy = dataclasses.replace(smoke_run, path=tmp_path / "copy")
    shutil.copytree(smoke_run.path, copy.path)
    table = "results/smoke/tables/thermometer.csv"
    before = (copy.path / table).read_bytes()
    stage = copy.path / "workflow/stages/autoencoder/measure_thermometer.py"
    stage.write_text(stage.read_text().replace("    run(main)", "    raise SystemExit('no')"))
    run = copy.smoke(table)
    assert run.returncode == 1
    assert (copy.path / table).read_bytes() == before
    assert (
        "the code of stages.autoencoder.measure_thermometer changed"
        in copy.smoke(table, "--dry-run").stdout
    )
