"""The real Snakefile through profiles/slurm, on a real Slurm: the smoke preset."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest
from interruption import OTHER, TARGETS, interrupt
from local_slurm import check_machine, running_slurm, submitted
from named_jobs import CUT, CUT_JOB, CUT_LOG, TRAINED, TRAINING_LOG, TRAINING_RULE
from runs import ClusterRun, made, rules_that_run_beside_snakemake

from checkouts import PROJECT, Checkout
from held_jobs import HeldJobs, is_running
from waiting import wait_until

pytestmark = pytest.mark.slow

FOLDERS = ["lattices", "certificates", "nets"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


@pytest.fixture(scope="module")
def cluster_run(cluster, smoke_run, tmp_path_factory):
    """The smoke preset, with one training cancelled as it ended."""
    checkout = Checkout.at(tmp_path_factory.mktemp("cluster"))
    checkout.take_kernels(smoke_run)
    checkout.take_second_members(smoke_run)
    held = HeldJobs.of(checkout, CUT)
    run = cluster.start(checkout, "--slurm-keep-successful-logs")
    training = run.wait_for_held(held)
    cluster.command("scancel", cluster.number_of(CUT_JOB))
    wait_until(lambda: not is_running(training))
    held.end()
    status, said = run.end()
    assert status == 0, said
    return ClusterRun(checkout, said, cluster.jobs(submitted(said)))


@pytest.fixture
def finished(cluster_run, tmp_path):
    """A copy of the checkout and of what the cluster made, to go on from."""
    return cluster_run.checkout.copied(tmp_path / "finished")


def test_tables_from_the_cluster_are_those_of_a_local_run_byte_for_byte(cluster_run, smoke_run):
    tables = smoke_run.tables()
    assert len(tables) >= 7
    assert cluster_run.checkout.tables() == tables


def test_everything_else_is_made_on_the_cluster_too(cluster_run, smoke_run):
    here, there = (
        {name: path.read_bytes() for name, path in made(checkout, *FOLDERS).items()}
        for checkout in (smoke_run, cluster_run.checkout)
    )
    assert len(here) > 100
    assert there == here
    figures = made(smoke_run, "figures")
    assert made(cluster_run.checkout, "figures").keys() == figures.keys()
    report = (cluster_run.checkout.path / "results/smoke/report.html").read_text()
    shown = [path.name for path in figures.values() if path.suffix == ".png"]
    assert shown
    assert all(name in report for name in shown)


def test_every_job_that_is_not_local_ran_in_a_slurm_job_and_in_one_only(cluster_run):
    logs = (cluster_run.checkout.path / ".snakemake/slurm_logs").rglob("*.log")
    jobs_in = {int(log.stem): set(re.findall(r"Job \d+: (.+)", log.read_text())) for log in logs}
    assert jobs_in.keys() == cluster_run.jobs.keys()
    completed = [n for n, job in cluster_run.jobs.items() if job["JobState"] == "COMPLETED"]
    ran = Counter(message for number in completed for message in jobs_in[number])
    assert set(ran.values()) == {1}
    assert ran.keys() <= set(re.findall(r"Job \d+: (.+)", cluster_run.said))
    expected = {
        rule: number
        for rule, number in cluster_run.numbers_of_jobs().items()
        if rule not in rules_that_run_beside_snakemake()
    }
    assert len(ran) == sum(expected.values())
    assert len({job["JobName"] for job in cluster_run.jobs.values()}) == 1


def test_a_training_is_a_submission_and_so_is_a_set_of_lattices_with_its_certificate(cluster_run):
    numbers = cluster_run.numbers_of_jobs()
    trainings = {rule: number for rule, number in numbers.items() if rule.startswith("train_")}
    measured = ("local_entropy", "beta_flow", "measure_floors")
    others = {"lattices": numbers["sample_lattices"], **dict.fromkeys(measured, 1)}
    kind = re.compile(f"rule_({'|'.join([*trainings, *others])})")
    completed = [job for job in cluster_run.jobs.values() if job["JobState"] == "COMPLETED"]
    assert Counter(kind.match(job["Comment"])[1] for job in completed) == {**trainings, **others}


def test_a_training_that_scancel_ends_is_submitted_again_with_more_memory(cluster_run):
    others = [job for job in cluster_run.jobs.values() if job["Comment"] != CUT_JOB]
    assert {job["JobState"] for job in others} == {"COMPLETED"}
    first, second = cluster_run.attempts(CUT_JOB)
    assert [first["JobState"], second["JobState"]] == ["CANCELLED", "COMPLETED"]
    assert [job["MinMemoryNode"] for job in (first, second)] == ["1001M", "2002M"]


def test_jobs_ask_for_the_time_and_memory_of_their_rules_and_for_no_gpu(cluster_run):
    again = cluster_run.attempts(CUT_JOB)[1]
    for job in cluster_run.jobs.values():
        is_training = job["Comment"].startswith("rule_train_")
        # that of a training follows from its net, which is small here
        others = 1000 if job["Comment"].startswith("rule_lattices_") else 3000
        memory = 1001 if is_training else others
        assert job["TRES"].startswith(f"cpu=1,mem={memory}M,") or job == again, job["Comment"]
        assert job["TimeLimit"] == "1-00:00:00" if is_training else job["TimeLimit"] <= "01:10:00"
        assert "TresPerJob" not in job
    assert "device is auto: on a cluster that is cpu" in cluster_run.said


def test_after_the_cluster_nothing_is_left_to_do_here_and_after_here_nothing_there(
    cluster, cluster_run, smoke_run
):
    here = cluster_run.checkout.smoke("--dry-run")
    assert here.returncode == 0
    assert "Nothing to be done" in here.stdout, here.stdout
    status, said = cluster.start(smoke_run, "--dry-run").end()
    assert status == 0
    assert "Nothing to be done" in said, said


def test_what_the_cluster_made_stays_when_snakemakes_own_notes_are_lost(finished):
    shutil.rmtree(finished.path / ".snakemake")
    run = finished.smoke()
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout, run.stdout
    preset = PROJECT / "workflow/presets/smoke.yaml"
    verified = subprocess.run(
        [sys.executable, "-m", "pipeline.verify", "--configfile", preset],
        cwd=finished.path,
        env={**os.environ, "PYTHONPATH": str(finished.path / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.fixture(scope="module")
def interrupted(cluster, cluster_run, tmp_path_factory):
    return interrupt(cluster, cluster_run.checkout, tmp_path_factory.mktemp("interrupted"))


def result(checkout):
    return [(checkout.path / f"{CUT}.{end}").read_bytes() for end in ("safetensors", "history.csv")]


def test_a_cancelled_training_goes_on_from_its_checkpoint_and_ends_with_the_same_bytes(interrupted):
    first, second = interrupted.killed.attempts(CUT_JOB)
    assert {first["JobState"], second["JobState"]} == {"CANCELLED"}
    (third,) = interrupted.last.attempts(CUT_JOB)
    assert third["JobState"] == "COMPLETED"
    assert "going on after epoch" in (interrupted.last.checkout.path / CUT_LOG).read_text()
    assert result(interrupted.last.checkout) == result(interrupted.undisturbed)


def test_after_a_kill_of_snakemake_none_starts_while_its_jobs_go_on(interrupted):
    ((alone, job),) = (
        (number, job)
        for number, job in interrupted.killed.jobs.items()
        if job["Comment"] != CUT_JOB
    )
    assert job["JobState"] == "COMPLETED"
    for status, said in interrupted.refused[:2]:
        assert status != 0
        # a cancelled one may not have left the queue yet
        assert re.search(rf"still go on:( \d+)* {alone}\b", said), said
        assert not submitted(said)


def test_after_a_kill_of_snakemake_the_next_run_goes_on_by_itself_and_keeps_what_was_made(
    interrupted,
):
    (only,) = interrupted.last.jobs.values()
    assert only["Comment"] == CUT_JOB  # what ended alone is not made again


def test_where_slurm_does_not_answer_one_unlocks_oneself(interrupted, tmp_path):
    status, said = interrupted.refused[2]
    assert status != 0
    assert "--unlock" in said
    checkout = interrupted.unlocked.copied(tmp_path / "unlocked")
    changes = [tmp_path / "changes.yaml"]
    changes[0].write_text(OTHER)
    assert checkout.smoke("--unlock", changes=changes).returncode == 0
    run = checkout.smoke(*TARGETS, changes=changes)
    assert run.returncode == 0, run.stdout
    assert "going on after epoch" in (checkout.path / CUT_LOG).read_text()
    assert result(checkout) == result(interrupted.undisturbed)


def test_with_device_cuda_jobs_get_a_gpu_and_the_partition_of_ones_own_file(
    cluster, finished, tmp_path
):
    """Nothing is computed on the stand-in: jobs end with the sentence that says so."""
    changes = tmp_path / "changes.yaml"
    changes.write_text("device: cuda")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/profile.yaml").write_text(
        "default-resources: [slurm_partition=main]\n"
        f"set-resources: [{TRAINING_RULE}:slurm_partition=accelerated]\n"
    )
    sampled = "results/smoke/lattices/local_entropy.nc"
    (finished.path / sampled).unlink()
    run = cluster.start(
        finished, sampled, TRAINED, "--profile", tmp_path / "site", "--retries", "0",
        "--keep-going", changes=[changes],
    )  # fmt: skip
    run.wait_for(lambda: len(submitted(run.said)) == 2)
    cluster.wait_until_empty()
    run.signal(signal.SIGINT)  # it would notice later
    _, said = run.end()
    jobs = list(cluster.jobs(submitted(said)).values())
    assert {job["TresPerJob"] for job in jobs} == {"gres:gpu:1"}
    # there is one, so that they must run one after the other, though there are CPUs for both
    first, second = sorted(jobs, key=lambda job: job["StartTime"])
    assert first["EndTime"] <= second["StartTime"]
    partitions = {job["Comment"].split("_")[1]: job["Partition"] for job in jobs}
    assert partitions == {"lattices": "main", "train": "accelerated"}
    if {job["JobState"] for job in jobs} != {"COMPLETED"}:  # a stand-in it is
        assert "device is cuda, but" in (finished.path / TRAINING_LOG).read_text()


def test_ctrl_c_cancels_what_was_submitted(cluster, checkout):
    result = "results/smoke/lattices/local_entropy"
    HeldJobs.of(checkout, result)  # so that it does not end before
    run = cluster.start(checkout, f"{result}.nc")
    run.wait_for(lambda: submitted(run.said))
    run.signal(signal.SIGINT)
    status, said = run.end()
    assert status != 0
    (job,) = cluster.jobs(submitted(said)).values()
    assert job["JobState"] == "CANCELLED"


def test_a_machine_without_slurm_or_with_another_one_is_told_what_to_do(cluster, monkeypatch):
    with pytest.raises(pytest.fail.Exception, match="slurmctld and slurmd run on this machine"):
        check_machine()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(pytest.fail.Exception, match="apt-get install slurm-wlm munge"):
        check_machine()
