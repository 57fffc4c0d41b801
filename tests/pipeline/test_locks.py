"""Who is at work in a results folder, and what a run that was killed there is to the next one."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.exceptions import CliException

from checkouts import PROJECT
from pipeline.staleness import locks as module
from pipeline.staleness.locks import RunLocks

ONE, TWO, BOTH = ["one/a"], ["/two/a"], ["one/a", "/two/a"]
KILLED = {"pid": 1, "host": "here"}
CLUSTER = {**KILLED, "cluster": True}  # whose jobs cannot be asked for by name


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The folder of locks, of a workflow with two results folders."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "RESULTS", {"one", "/two"})
    monkeypatch.setattr(module, "check_can_be_written", lambda folders: None)  # /two is nowhere
    return tmp_path / ".snakemake/runs"


def snakemake(reads=(), writes=(), **settings):
    """Snakemake's notes in this folder, for a run with one job to do."""
    rule = SimpleNamespace(name="rule")
    job = SimpleNamespace(
        rule=rule, wildcards=[], input=reads, output=writes, resources={"mem_mb": 1000}
    )
    wanted = {"forceall": False, "forcerun": (), "forcetargets": False, **settings}
    dag = SimpleNamespace(
        jobs=[job],
        needrun_jobs=lambda: [job],
        workflow=SimpleNamespace(
            local_exec=True,
            dag_settings=SimpleNamespace(max_checksum_file_size=0, **wanted),
        ),
    )
    return RunLocks(dag=dag)


def start(*files, **settings):
    """Be such a run, and end."""
    with snakemake(*files, **settings).lock():
        pass


def killed(runs, folder="one", note=KILLED):
    """What is left of a killed run."""
    lock = runs / folder / "run.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps(note))
    return lock


def is_held(lock):
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.fixture
def other_run(runs):
    """Another process that is at work in the folder ``one``."""
    lock = runs / "one/run.lock"
    program = (
        "import time; from pathlib import Path; from pipeline.staleness.locks import at_work\n"
        f"with at_work('one', Path({str(lock)!r}), {KILLED}):\n"
        "    print('there', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "there\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("reads", "writes"),
    [((), ["one/b"]), (["one/a"], ["/two/b"]), (["one/a"], ["own.txt"]), (["one/a"], ())],
)
def test_a_second_run_in_a_results_folder_is_refused_whatever_it_does(
    runs, other_run, reads, writes
):
    second = snakemake(reads, writes)
    assert second.locked
    with pytest.raises(CliException, match=r"Another run is at work on one\. Wait until it has"):
        second.lock().__enter__()
    assert json.loads((runs / "one/run.lock").read_text()) == KILLED


@pytest.mark.parametrize("name", ["linked", "absolute"])
def test_a_second_run_is_refused_by_whatever_name_it_calls_the_folder(
    runs, other_run, monkeypatch, tmp_path, name
):
    (tmp_path / "one").mkdir(exist_ok=True)
    (tmp_path / "linked").symlink_to("one")
    folder = {"linked": "linked", "absolute": str(tmp_path / "one")}[name]
    monkeypatch.setattr(module, "RESULTS", {folder})
    assert snakemake(writes=[f"{folder}/b"]).locked
    with pytest.raises(CliException, match="Another run is at work"):
        start(writes=[f"{folder}/b"])


def test_a_run_that_knows_a_folder_by_two_names_does_not_refuse_itself(runs, monkeypatch, tmp_path):
    (tmp_path / "linked").symlink_to("one")
    monkeypatch.setattr(module, "RESULTS", {"one", "linked"})
    with snakemake(["one/a"], ["linked/b"]).lock():
        assert is_held(runs / "one/run.lock")
        assert (runs / "one/run.lock").read_text()  # it writes there
    snakemake().cleanup_locks()


def test_a_run_in_another_results_folder_is_not_refused(runs, other_run):
    second = snakemake(["own.txt"], TWO)
    assert not second.locked
    with second.lock():
        assert is_held(runs / "two/run.lock")
    assert is_held(runs / "one/run.lock")


def test_a_killed_run_is_at_work_no_more_and_leaves_its_note_to_the_next_one(runs, other_run):
    other_run.kill()
    other_run.wait()
    lock = runs / "one/run.lock"
    assert (is_held(lock), json.loads(lock.read_text())) == (False, KILLED)
    with snakemake((), ONE).lock():
        assert (is_held(lock), json.loads(lock.read_text())["pid"]) == (True, os.getpid())
    assert lock.read_text() == ""


def test_after_a_killed_run_the_next_one_starts_while_another_folder_is_at_work(runs, other_run):
    killed(runs, "two")
    start((), TWO)
    assert is_held(runs / "one/run.lock")


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (((), ["a"]), ((), ["a"]), True),
        (((), ["a"]), (["a"], ONE), True),
        ((["a"], ONE), ((), ["a"]), True),
        ((["one/a"], ["a"]), ((), ONE), True),
        (((), ONE), ((), BOTH), True),
        ((["a"], ONE), (["a"], TWO), False),
        ((["one/a"], ["a"]), (["one/b"], TWO), False),
        (((), ONE), ((), TWO), False),
    ],
)
def test_no_run_writes_where_another_reads_or_writes_also_beside_the_results_folders(
    runs, first, second, refused
):
    with snakemake(*first).lock():
        if refused:
            with pytest.raises(CliException, match="Another run is at work on"):
                start(*second)
        else:
            start(*second)


def test_a_run_that_is_refused_leaves_the_notes_to_the_next_one(runs):
    lock = killed(runs, note=CLUSTER)
    for writes in (ONE, BOTH):
        with pytest.raises(CliException, match="A run that submits jobs to a cluster was killed"):
            start((), writes)
        assert json.loads(lock.read_text()) == CLUSTER
    assert not (runs / "two/run.lock").read_text()
    start((), TWO)  # nothing stands in its way


def test_a_run_that_submits_jobs_leaves_their_name_and_the_next_one_asks_for_them(
    runs, monkeypatch
):
    for name in ("SLURM_CLUSTERS", "SBATCH_CLUSTERS"):
        monkeypatch.delenv(name, raising=False)
    first = snakemake((), ONE)
    first.dag.workflow.local_exec = False
    first.dag.workflow.rules = []
    first.dag.workflow.executor_settings = SimpleNamespace(jobname_prefix="")
    with first.lock():
        left = json.loads((runs / "one/run.lock").read_text())
    name = first.dag.workflow.executor_settings.jobname_prefix
    assert (left["cluster"], left["jobs"]) == (True, name)
    killed(runs, note=left)
    squeue = runs / "squeue"
    monkeypatch.setenv("PATH", str(runs), prepend=os.pathsep)
    for state, refused in (("RUNNING", True), ("COMPLETED", False)):
        squeue.write_text(f"#!/bin/sh\necho '8|{state}|{name}_x'\n")
        squeue.chmod(0o755)
        if refused:
            with pytest.raises(CliException, match="still go on: 8"):
                start((), ONE)
        else:
            start((), ONE)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe\x00\x81 no text", b'{"cluster": tru'])
def test_a_note_that_a_power_loss_has_spoilt_says_nothing_and_goes(runs, content):
    lock = killed(runs)
    lock.write_bytes(content)
    start((), ONE)
    assert lock.read_text() == ""


def test_unlocking_is_refused_while_a_run_is_alive_in_a_folder_and_forgets_nothing(runs, other_run):
    lock = killed(runs, "two", CLUSTER)
    with pytest.raises(CliException, match="A run is at work on one, so nothing is unlocked"):
        snakemake().cleanup_locks()
    assert json.loads(lock.read_text()) == CLUSTER
    assert is_held(runs / "one/run.lock")


def test_unlocking_forgets_killed_runs_but_those_in_folders_of_other_presets(runs):
    locks = {each: killed(runs, each, CLUSTER) for each in ("one", "two", "three", ".")}
    for _ in range(2):  # again, it does no harm
        snakemake().cleanup_locks()
    assert [each for each, lock in locks.items() if lock.read_text()] == ["three"]
    start((), [*BOTH, "own.txt"])


def test_without_locks_in_the_file_system_nobody_is_taken_for_dead(runs, monkeypatch):
    def flock(file, how):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    killed(runs)
    assert snakemake((), ONE).locked
    with pytest.raises(CliException, match=r"work on one, or was killed: .* --unlock"):
        start((), ONE)
    snakemake().cleanup_locks()
    assert not snakemake((), ONE).locked
    with snakemake((), ONE).lock(), pytest.raises(CliException, match=f'"pid": {os.getpid()}'):
        start((), ONE)
    start((), ONE)


def test_what_a_killed_run_kept_of_a_file_is_not_put_back_after_a_later_failure(runs):
    Path("one").mkdir()
    Path("one/a").write_text("of the killed run")
    snakemake((), ONE).backup_output(Path("one/a"))
    Path("one/a").unlink()
    later = snakemake((), ONE)
    with later.lock():
        assert not later.restore_output(Path("one/a"))


@pytest.mark.parametrize(
    ("settings", "keeps"),
    [({}, True), ({"forceall": True}, False), ({"forcerun": ["a"]}, False)],
)
def test_jobs_leave_what_holds_unless_they_are_forced(runs, monkeypatch, settings, keeps):
    monkeypatch.setenv(module.KEEP, "of an outer run")
    start((), ONE, **settings)
    assert os.environ.get(module.KEEP) == ("1" if keeps else None)


# ---- The same with Snakemake itself ----

TABLE = "tables/model_architectures.csv"


def at_a_job(checkout, results):
    """A run that makes a table in the folder ``results``: its job waits while ``wait`` is there."""
    wait = checkout.path / "wait"
    wait.touch()
    before = checkout.path / "before_every_shell_command.sh"
    before.write_text(f"while [ -e '{wait}' ]; do sleep 0.05; done\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", f"{results}/{TABLE}",
         "--config", f"results_dir={results}"],
        cwd=checkout.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "BASH_ENV": str(before)}, start_new_session=True,
    )  # fmt: skip
    lock = checkout.path / ".snakemake/runs" / results / "run.lock"
    while not (lock.exists() and lock.read_text()):
        assert process.poll() is None
        time.sleep(0.01)
    return process


def run(checkout, results, *arguments):
    return checkout.snakemake(*arguments, "--config", f"results_dir={results}")


@pytest.mark.slow
def test_beside_a_live_run_a_killed_one_starts_again_and_unlock_leaves_the_live_ones_lock(checkout):
    alive, other = at_a_job(checkout, "results/one"), at_a_job(checkout, "results/two")
    os.killpg(other.pid, signal.SIGKILL)
    other.wait()
    try:
        unlocked = run(checkout, "results/one", "--unlock")
        assert unlocked.returncode != 0
        assert "A run is at work on results/one, so nothing is unlocked." in unlocked.stdout
        assert 'File "' not in unlocked.stdout
        again = run(checkout, "results/two", f"results/two/{TABLE}")
        assert again.returncode == 0, again.stdout
        assert run(checkout, "results/two", "--unlock").returncode == 0
        refused = run(checkout, "results/one", f"results/one/{TABLE}")
        assert refused.returncode != 0
        assert "Another run is at work on results/one." in refused.stdout
        dry = run(checkout, "results/one", f"results/one/{TABLE}", "--dry-run")
        assert "Another Snakemake instance is running" in dry.stdout
    finally:
        (checkout.path / "wait").unlink()
    assert alive.wait() == 0
    tables = [checkout.path / results / TABLE for results in ("results/one", "results/two")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
