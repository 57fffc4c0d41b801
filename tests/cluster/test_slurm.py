"""The real Snakefile through profiles/slurm, on a real Slurm."""

import os
import re
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from local_slurm import check_machine, running_slurm, submitted

from conftest import Checkout

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        yield slurm


@dataclass(frozen=True)
class ClusterRun:
    """A checkout in which targets were made through Slurm, and what Snakemake said."""

    checkout: Checkout
    said: str
    jobs: dict


@pytest.fixture(scope="module")
def cluster_run(cluster, tmp_path_factory):
    """A table, and a net with all that is transferred into it, made on the cluster."""
    checkout = Checkout.at(tmp_path_factory.mktemp("cluster"))
    run = cluster.start(checkout, *TARGETS)
    said, _ = run.communicate(timeout=400)
    assert run.returncode == 0, said
    return ClusterRun(checkout, said, cluster.jobs(submitted(said)))


TARGETS = [
    "results/smoke/tables/thermometer.csv",
    "results/smoke/nets/Model-2-CG/member-0.losses.csv",
]


@pytest.fixture
def finished(cluster_run, tmp_path):
    """A copy of the checkout and of what the cluster made, to go on from."""
    shutil.copytree(cluster_run.checkout.path, tmp_path / "finished")
    return Checkout(tmp_path / "finished")


def test_results_from_the_cluster_are_those_of_a_local_run_byte_for_byte(cluster_run, smoke_run):
    made = [
        *TARGETS,
        *(f"results/smoke/nets/thermometer/member-{k}.safetensors" for k in range(2)),
        "results/smoke/nets/Model-2-CG/member-0.safetensors",
        "results/smoke/nets/Model-2-CG/member-0.history.csv",
    ]
    for path in made:
        here, there = (run.path / path for run in (smoke_run, cluster_run.checkout))
        assert here.read_bytes() == there.read_bytes(), path


def test_every_job_that_is_not_local_was_a_slurm_job_of_its_own(cluster_run):
    counts = dict(re.findall(r"^(\w+) +(\d+)$", cluster_run.said, re.MULTILINE))
    trainings = {rule: int(counts[rule]) for rule in counts if rule.startswith("train_")}
    kind = re.compile("rule_(lattices|train_model|train_shallow_net|train_thermometer)_")
    done = Counter(kind.match(job["Comment"])[1] for job in cluster_run.jobs.values())
    # sampling, certificate and decimation of one set of lattices are one job
    assert done == {"lattices": int(counts["sample_lattices"]), **trainings}
    assert {job["JobState"] for job in cluster_run.jobs.values()} == {"COMPLETED"}
    assert len({job["JobName"] for job in cluster_run.jobs.values()}) == 1


def test_jobs_ask_for_the_time_and_memory_of_their_rules_and_for_no_gpu(cluster_run):
    for job in cluster_run.jobs.values():
        is_training = job["Comment"].startswith("rule_train_")
        assert job["TRES"].split(",")[:2] == ["cpu=1", f"mem={3000 if is_training else 1000}M"]
        assert job["TimeLimit"] == "1-00:00:00" if is_training else job["TimeLimit"] <= "01:10:00"
        assert "TresPerJob" not in job
    assert "device is auto: on a cluster that asks for no GPU" in cluster_run.said


LONG = "{checkpoint_minutes: 0, nets: {epochs: {deep: 1000}}}"
NET = "results/smoke/nets/Model-2-CG/member-0.safetensors"


def result(checkout):
    return [
        (checkout.path / path).read_bytes()
        for path in (NET, NET.replace(".safetensors", ".history.csv"))
    ]


@pytest.fixture
def changes(tmp_path):
    path = tmp_path / "changes.yaml"
    path.write_text(LONG)
    return [path]


@pytest.fixture(scope="module")
def undisturbed(cluster_run, tmp_path_factory):
    """The long training from beginning to end, on this machine."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(cluster_run.checkout.path, folder / "copy")
    (folder / "changes.yaml").write_text(LONG)
    checkout = Checkout(folder / "copy")
    run = checkout.smoke(NET, changes=[folder / "changes.yaml"])
    assert run.returncode == 0, run.stdout
    return result(checkout)


def wait_for_checkpoint(checkout, run):
    folder = checkout.path / "results/smoke/nets/Model-2-CG/checkpoints"
    until = time.monotonic() + 120
    while not list(folder.glob("member-0.*")):
        assert run.poll() is None, run.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.05)


def went_on(checkout):
    log = checkout.path / "results/smoke/logs/train_model/Model-2-CG/member-0.log"
    return "going on after epoch" in log.read_text()


def test_a_cancelled_training_is_submitted_again_and_ends_with_the_same_bytes(
    cluster, finished, undisturbed, changes
):
    run = cluster.start(finished, NET, changes=changes)
    wait_for_checkpoint(finished, run)
    cluster.cancel_all()
    said, _ = run.communicate(timeout=200)
    assert run.returncode == 0, said
    first, second = cluster.jobs(submitted(said)).values()
    assert [first["JobState"], second["JobState"]] == ["CANCELLED", "COMPLETED"]
    assert [job["MinMemoryNode"] for job in (first, second)] == ["3000M", "6000M"]
    assert went_on(finished)
    assert result(finished) == undisturbed


def test_after_a_kill_of_snakemake_the_next_run_goes_on_once_it_is_unlocked(
    cluster, finished, undisturbed, changes
):
    first = cluster.start(finished, NET, changes=changes)
    wait_for_checkpoint(finished, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert len(cluster.running()) == 1  # Slurm knows nothing of it
    cluster.cancel_all()
    refused = cluster.start(finished, NET, changes=changes)
    assert "--unlock" in refused.communicate(timeout=60)[0]
    assert refused.returncode != 0
    assert cluster.start(finished, "--unlock", changes=changes).wait(60) == 0
    second = cluster.start(finished, NET, changes=changes)
    said, _ = second.communicate(timeout=200)
    assert second.returncode == 0, said
    assert went_on(finished)
    assert result(finished) == undisturbed


def test_with_device_cuda_jobs_get_a_gpu_and_the_partition_of_ones_own_file(
    cluster, finished, tmp_path
):
    """Nothing is computed on the stand-in: jobs end with the sentence that says so."""
    changes = tmp_path / "changes.yaml"
    changes.write_text("device: cuda")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/profile.yaml").write_text(
        "default-resources: [slurm_partition=main]\n"
        "set-resources: [train_thermometer:slurm_partition=accelerated]\n"
    )
    sampled = "results/smoke/lattices/local_entropy.nc"
    trained = "results/smoke/nets/thermometer/member-0.safetensors"
    run = cluster.start(
        finished, sampled, trained, "--profile", tmp_path / "site", "--retries", "0",
        "--keep-going", changes=[changes],
    )  # fmt: skip
    said, _ = run.communicate(timeout=120)
    jobs = list(cluster.jobs(submitted(said)).values())
    assert len(jobs) == 2, said
    assert {job["TresPerJob"] for job in jobs} == {"gres:gpu:1"}
    # there is one, so that they must run one after the other, though there are CPUs for both
    first, second = sorted(jobs, key=lambda job: job["StartTime"])
    assert first["EndTime"] <= second["StartTime"]
    partitions = {job["Comment"].split("_")[1]: job["Partition"] for job in jobs}
    assert partitions == {"lattices": "main", "train": "accelerated"}
    log = finished.path / "results/smoke/logs/train_thermometer/member-0.log"
    if run.returncode != 0:
        assert "device is cuda, but" in log.read_text()


def test_ctrl_c_cancels_what_was_submitted(cluster, finished):
    run = cluster.start(finished, "results/smoke/lattices/local_entropy.nc")
    until = time.monotonic() + 60
    while not cluster.running():
        assert run.poll() is None, run.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    (job,) = cluster.jobs(submitted(said)).values()
    assert job["JobState"] == "CANCELLED"


def test_a_machine_without_slurm_or_with_another_one_is_told_what_to_do(cluster, monkeypatch):
    with pytest.raises(pytest.fail.Exception, match="slurmctld and slurmd run on this machine"):
        check_machine()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(pytest.fail.Exception, match="apt-get install slurm-wlm munge"):
        check_machine()
