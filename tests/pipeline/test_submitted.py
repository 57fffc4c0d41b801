"""Whether a run may follow killed ones that submitted jobs; the real Slurm is in tests/cluster."""

import os
import socket
from types import SimpleNamespace

import pytest

from pipeline.staleness.submitted import note_for_jobs, why_not_to_start


def workflow(resources=(), **settings):
    rules = [SimpleNamespace(resources=dict.fromkeys(resources, 1))]
    return SimpleNamespace(executor_settings=SimpleNamespace(**settings), rules=rules)


@pytest.fixture
def note(monkeypatch):
    for name in ("SLURM_CLUSTERS", "SBATCH_CLUSTERS"):
        monkeypatch.delenv(name, raising=False)
    return note_for_jobs(workflow(jobname_prefix=""))


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Have squeue answer so; it proves that no SQUEUE_… variable reaches it."""

    def install(answer, status=0):
        script = tmp_path / "squeue"
        script.write_text(
            f"#!/bin/sh\ntest -z $SQUEUE_USERS && cat {tmp_path}/answer; exit {status}"
        )
        script.chmod(0o755)
        (tmp_path / "answer").write_text(answer)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setenv("SQUEUE_USERS", "nobody")

    return install


def test_jobs_of_a_run_bear_a_name_of_their_own_after_ones_own_prefix():
    asked = [workflow(jobname_prefix=prefix) for prefix in ("", "", "mine")]
    names = [note_for_jobs(each)["jobs"] for each in asked]
    assert [each.executor_settings.jobname_prefix for each in asked] == names
    assert len(set(names)) == 3
    assert names[0].startswith("coarsegrain-")
    assert names[2].startswith("mine_coarsegrain-")


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "A_NEW_STATE"])
def test_jobs_that_have_not_ended_are_named(note, squeue, state):
    squeue(f"7|COMPLETED|{note['jobs']}_x\n8|{state}|{note['jobs']}_x\n9|RUNNING|an other | one\n")
    assert "still go on: 8. " in why_not_to_start([{"cluster": True, **note}])


def test_a_run_may_start_when_all_jobs_have_ended_and_others_go_on(note, squeue):
    squeue(
        f"7|CANCELLED|{note['jobs']}_x\n8|TIMEOUT|{note['jobs']}_x\n9|RUNNING|other|\n10|RUNNING|\n"
    )
    assert why_not_to_start([note]) is None
    squeue("")
    assert why_not_to_start([note, note]) is None


@pytest.mark.parametrize(("answer", "status"), [("", 1), ("no table\n", 0)])
def test_nothing_is_started_where_squeue_gives_no_answer(note, squeue, answer, status):
    squeue(answer, status)
    assert "--unlock" in why_not_to_start([note])


def test_nothing_is_started_where_there_is_no_squeue(note, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "--unlock" in why_not_to_start([note])
    assert why_not_to_start([]) is None  # of killed runs none submits jobs


@pytest.mark.parametrize("other", [{"host": "elsewhere"}, {"user": -1}])
def test_on_another_machine_or_as_another_user_one_looks_oneself(note, squeue, other):
    squeue("")
    assert "--unlock" in why_not_to_start([note, {**note, **other}])


def test_where_jobs_cannot_be_found_by_name_in_this_queue_one_looks_oneself(
    note, squeue, monkeypatch
):
    squeue("")
    asked = [
        workflow(),  # an executor other than Slurm's
        workflow(jobname_prefix="p" * 48),
        workflow(["mem_mb", "slurm_cluster"], jobname_prefix=""),
    ]
    notes = [note_for_jobs(each) for each in asked]
    monkeypatch.setenv("SLURM_CLUSTERS", "other")
    notes.append(note_for_jobs(workflow(jobname_prefix="")))
    for each in notes:
        assert each == {"host": socket.gethostname(), "user": os.getuid(), "cluster": True}
        assert "--unlock" in why_not_to_start([each])
