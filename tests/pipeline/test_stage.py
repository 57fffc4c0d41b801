"""A stage, run as a program: whole outputs with their provenance, or a sentence and no output."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
STAGE = '''
import errno

from coarsegrain.errors import CoarsegrainError
from pipeline.stage import Code, Input, Inputs, Outcome, Output, Spec, run


def main(
    *, source: Input, others: Inputs, total: Output, copy: Output, spec: Spec, code: Code
) -> Outcome:
    """Add numbers up.

    Spec: fail (none | sentence | disk | interrupt | bug | forget).
    """
    assert code in ("abc", "unknown")
    numbers = [int(each.read_text()) for each in (source, *others)]
    total.write_text("half of it")
    if spec["fail"] == "sentence":
        raise CoarsegrainError("the numbers are tired; let them rest.")
    if spec["fail"] == "disk":
        raise OSError(errno.ENOSPC, "No space left on device")
    if spec["fail"] == "interrupt":
        raise KeyboardInterrupt
    if spec["fail"] == "bug":
        raise KeyError("bug")
    total.write_text(str(sum(numbers)))
    if spec["fail"] != "forget":
        copy.write_text(str(numbers))
    return Outcome({"device": "cpu"}, no_longer_needed=[total.parent / "kept/until_now"])


if __name__ == "__main__":
    run(main)
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "adding").mkdir()
    (tmp_path / "adding/__init__.py").touch()
    (tmp_path / "adding/add.py").write_text(STAGE)
    for name, number in (("a", 1), ("b", 20), ("c", 300)):
        (tmp_path / name).write_text(str(number))
    return tmp_path


def stage(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "adding.add", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(WORKFLOW), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def add(folder, fail="none", **changes):
    """Run the stage on a, b and c."""
    values = {"source": "a", "spec": json.dumps({"fail": fail}), "code": "abc"} | changes
    flags = [word for name, value in values.items() for word in (f"--{name}", value)]
    return stage(
        folder, "--others", "b", "c", "--total", "out/t.txt", "--copy", "out/c.txt", *flags
    )


def outputs(folder):
    """Every file under out/, hidden ones too."""
    return sorted(path.name for path in (folder / "out").rglob("*"))


def test_help_lists_what_the_stage_takes(folder):
    done = stage(folder, "--help")
    assert done.returncode == 0
    assert "python -m adding.add" in done.stdout
    assert "Add numbers up." in done.stdout
    for flag in ("--source FILE", "--others", "--total FILE", "--copy FILE", "--spec JSON"):
        assert flag in done.stdout


def test_outputs_appear_whole_with_their_provenance(folder):
    done = add(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "out/t.txt").read_text() == "321"
    assert outputs(folder) == ["c.txt", "c.txt.prov.json", "t.txt", "t.txt.prov.json"]
    record = json.loads((folder / "out/t.txt.prov.json").read_text())
    assert record["sha256"] == hashlib.sha256(b"321").hexdigest()
    assert {
        each["file"]: each["sha256"] for files in record["inputs"].values() for each in files
    } == {
        name: hashlib.sha256(text).hexdigest()
        for name, text in (("a", b"1"), ("b", b"20"), ("c", b"300"))
    }
    assert (record["stage"], record["code"], record["device"]) == ("adding.add", "abc", "cpu")
    assert record["spec"] == {"fail": "none"}
    assert record["libraries"]["numpy"]


@pytest.mark.parametrize("fail", ["sentence", "disk", "interrupt", "bug", "forget"])
def test_failure_leaves_the_outputs_before_as_they_were(folder, fail):
    assert add(folder).returncode == 0
    before = {path: path.read_bytes() for path in (folder / "out").iterdir()}
    (folder / "a").write_text("2")
    assert add(folder, fail).returncode == 1
    assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before


def test_what_is_no_longer_needed_goes_when_the_outputs_are_there_and_not_before(folder):
    kept = folder / "out/kept/until_now"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert add(folder, "sentence").returncode == 1
    assert kept.exists()
    assert add(folder).returncode == 0
    assert not kept.parent.exists()


def test_what_a_killed_run_left_behind_is_removed(folder):
    (folder / "out/.t.txt.partial-123.job/.t.txt.partial-45.job").mkdir(parents=True)
    for name in (".t.partial-123.txt", ".c.partial-45.txt", ".other.partial-123.txt"):
        (folder / "out" / name).touch()
    assert add(folder).returncode == 0
    left = [name for name in outputs(folder) if ".partial-" in name]
    assert left == [".other.partial-123.txt"]


@pytest.mark.parametrize("fail", ["sentence", "disk", "interrupt", "bug", "forget"])
def test_failure_leaves_no_file_behind(folder, fail):
    assert add(folder, fail).returncode == 1
    assert outputs(folder) == []


def test_expected_error_is_a_sentence_without_traceback(folder):
    assert add(folder, "sentence").stderr == "error: the numbers are tired; let them rest.\n"
    assert "out/c.txt" in add(folder, "forget").stderr


def test_full_disk_and_interruption_are_told_in_words(folder):
    assert add(folder, "disk").stderr.startswith("error: the disk is full; free some space")
    assert add(folder, "interrupt").stderr == "interrupted; nothing was written.\n"


def test_unexpected_error_keeps_its_traceback(folder):
    assert "KeyError: 'bug'" in add(folder, "bug").stderr


def test_missing_input_is_a_sentence(folder):
    done = add(folder, source="absent")
    assert done.returncode == 1
    assert done.stderr.startswith("error: input absent does not exist;")
    assert not (folder / "out").exists()


@pytest.mark.parametrize(("spec", "told"), [("{", "not JSON"), ("[1]", "must be a JSON object")])
def test_spec_that_is_no_object_is_a_usage_error(folder, spec, told):
    done = add(folder, spec=spec)
    assert done.returncode == 2
    assert told in done.stderr
