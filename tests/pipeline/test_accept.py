"""`make accept`: results are taken for those of edited code, and of nothing else."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_verify import LATTICES, NET, TABLE, job, make

from checkouts import PROJECT
from coarsegrain.errors import CoarsegrainError
from pipeline.accept import accept
from pipeline.sidecars import is_made_from, read_record, sidecar_path
from pipeline.stage import EDITED
from pipeline.staleness.judgement import State
from pipeline.verification.outputs import judge
from pipeline.verification.text import report

OTHER = "0ther"


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Lattices, a net from them and a table from that, all made, of code that was edited since."""
    monkeypatch.chdir(tmp_path)
    jobs = [job("sample", LATTICES), job("train", NET, [LATTICES]), job("tabulate", TABLE, [NET])]
    for k, each in enumerate(jobs):
        make(each, f"content {k}\n")
    return [dataclasses.replace(each, code=OTHER) for each in jobs]


def states(jobs):
    return [each.state for each in judge(jobs)]


def test_what_differs_by_its_code_alone_is_fine_once_it_is_accepted(chain):
    assert states(chain) == [State.STALE] * 3
    assert accept(chain, []) == {"stages.sample": 1, "stages.train": 1, "stages.tabulate": 1}
    assert states(chain) == [State.FINE] * 3
    assert accept(chain, []) == {}
    record = read_record(Path(NET))
    assert record.codes == {record.code, OTHER}
    assert record.code != OTHER
    made_from = {"stage": "stages.sample", "spec": {}, "inputs": {"inputs": []}}
    assert is_made_from(Path(LATTICES), code=OTHER, **made_from)
    assert not is_made_from(Path(LATTICES), code="a third", **made_from)


def test_a_deleted_result_is_accepted_as_if_it_were_there(chain):
    Path(LATTICES).unlink()
    assert accept(chain, []) == {"stages.sample": 1, "stages.train": 1, "stages.tabulate": 1}
    assert states(chain) == [State.MISSING, State.WAITING, State.WAITING]
    with pytest.raises(CoarsegrainError, match="an input was deleted"):
        accept([dataclasses.replace(chain[0], spec={"seed": 2}), *chain[1:]], [])


def test_a_named_stage_is_accepted_and_no_other(chain):
    accept(chain, ["train"])
    assert states(chain) == [State.STALE, State.WAITING, State.STALE]


def test_code_that_is_edited_again_is_stale_and_the_code_of_before_is_good(chain):
    accept(chain, [])
    assert (
        states([dataclasses.replace(each, code="a third") for each in chain]) == [State.STALE] * 3
    )
    before = [dataclasses.replace(each, code=read_record(Path(NET)).code) for each in chain]
    assert states(before) == [State.FINE] * 3


@pytest.mark.parametrize("what", ["spec", "input", "bytes", "sidecar", "stage", "unknown code"])
def test_more_than_code_is_refused_by_name_and_changes_no_sidecar(chain, what):
    jobs = list(chain)
    if what == "spec":
        jobs[1] = dataclasses.replace(jobs[1], spec={"l1": 1})
    elif what == "stage":
        jobs[1] = dataclasses.replace(jobs[1], stage="stages.learn")
    elif what == "unknown code":
        make(dataclasses.replace(jobs[1], code=EDITED), "content 1\n")
    elif what == "input":
        make(jobs[0], "other lattices\n")
    elif what == "bytes":
        Path(NET).write_text("damaged\n")
    else:
        sidecar_path(Path(NET)).write_text("{")
    before = {path: path.read_bytes() for path in Path().rglob("*.prov.json")}
    with pytest.raises(CoarsegrainError, match=f"nothing is accepted.*\n.*{NET}: "):
        accept(jobs, [])
    assert {path: path.read_bytes() for path in Path().rglob("*.prov.json")} == before
    assert accept(jobs, ["tabulate"])["stages.tabulate"] == 1


def test_a_stage_that_no_job_runs_is_refused(chain):
    with pytest.raises(CoarsegrainError, match=r"no job runs stages\.trian"):
        accept(chain, ["trian"])


def test_a_sidecar_is_whole_also_where_it_cannot_be_written(chain, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = sidecar_path(Path(LATTICES)).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        accept(chain, ["sample"])
    assert sidecar_path(Path(LATTICES)).read_bytes() == before
    assert not list(Path("results").glob("*.partial-*"))
    assert not list(Path("results").glob(".*.partial-*"))


def test_verify_tells_what_was_accepted_and_when(chain):
    accept(chain, ["train"])
    day = json.loads(sidecar_path(Path(NET)).read_text())["accepted"][0]["on"]
    fine = [dataclasses.replace(each, code=read_record(Path(LATTICES)).code) for each in chain]
    told = report(Path("results"), judge([fine[0], chain[1], fine[2]]), [])
    assert f"of these, accepted on {day} as made by other code of stages.train: 1" in told
    assert "accepted" not in report(Path("results"), judge(fine), [])


@pytest.mark.slow
def test_after_a_refactoring_that_was_accepted_nothing_is_computed(smoke_run, tmp_path):
    copy = smoke_run.copied(tmp_path / "copy")
    stage = copy.path / "workflow/stages/autoencoder/describe_models.py"
    stage.write_text(f"{stage.read_text()}\n_EDITED = True\n")
    assert "describe_models" in copy.smoke("--dry-run").stdout

    def accepting(*changes):
        preset = PROJECT / "workflow/presets/smoke.yaml"
        stages = ["--stages", "autoencoder.describe_models"]
        command = [sys.executable, "-m", "pipeline.accept", *stages, "--cores", "1"]
        return subprocess.run(
            [*command, "--configfile", preset, *changes],
            cwd=copy.path,
            env={**os.environ, "PYTHONPATH": str(copy.path / "workflow")},
            capture_output=True,
            text=True,
            check=False,
        )

    changes = tmp_path / "changes.yaml"
    changes.write_text("nets: {activation: tanh}\n")
    refused = accepting(changes)
    assert refused.returncode == 1
    assert "its spec changed: activation" in refused.stderr
    accepted = accepting()
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout == "accepted: 1 result of stages.autoencoder.describe_models\n"
    assert "Nothing to be done" in copy.smoke("--dry-run").stdout
    assert "describe_models" in copy.smoke("--dry-run", changes=[changes]).stdout
