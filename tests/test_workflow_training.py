"""Trainings in the real Snakefile: interrupted, in company, and stopped early."""

import os
import signal
import subprocess
import sys

import pytest

from coarsegrain.storage.tables import read_table
from held_jobs import HeldJobs
from test_workflow import planned
from waiting import LIMIT, wait_until

pytestmark = pytest.mark.slow

RULE_OF_MODELS = "train_net"
LOG_OF_MODEL_1 = f"results/smoke/logs/{RULE_OF_MODELS}/Model-1/member-0.log"


def test_members_trained_in_one_job_are_the_same_nets(smoke_run, copy, tmp_path):
    """From the lattices that are there, with no net that is trained."""
    changes = tmp_path / "changes.yaml"
    changes.write_text("members_per_job: 3")
    histories = sorted((copy.path / "results/smoke/nets").rglob("*.history.csv"))
    made = [
        str(path.relative_to(copy.path))
        for history in histories
        for path in (history, history.with_name(history.name.replace("history.csv", "safetensors")))
    ]
    assert len(made) == 2 * 9 * 2
    for path in made:
        (copy.path / path).unlink()
    run = copy.smoke(*made, changes=[changes])
    assert run.returncode == 0, run.stdout
    assert run.stdout.count(": autoencoder.train_members ") == 9
    for path in made:
        assert (copy.path / path).read_bytes() == (smoke_run.path / path).read_bytes()
    changes.write_text("members_per_job: 1")
    assert "Nothing to be done" in copy.smoke(*made, changes=[changes]).stdout
    # Two more members are trained together, without those that are finished.
    outputs = planned(copy, "{members: 4, members_per_job: 2}", tmp_path)
    together = {path for path in outputs if "/together/" in path}
    assert len(together) == 9
    assert all(path.endswith("/members-2-3.safetensors") for path in together)
    assert not [path for path in outputs if "/nets/" in path and "/member-0.safetensors" in path]


def test_a_plateau_ends_trainings_and_their_histories_say_so(copy, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text(
        "nets: {stopping: plateau, plateau: {epochs: 2, tolerance: 0.5}, epochs: {deep: 50}}"
    )
    net = "results/smoke/nets/Model-1/member-0.safetensors"
    run = copy.smoke(net, changes=[changes])
    assert run.returncode == 0, run.stdout
    history = read_table(copy.path / net.replace(".safetensors", ".history.csv"))
    assert history["ended_by"].iloc[-1] == "plateau"
    assert history["epoch"].max() < 50


def start(checkout, *arguments):
    """Start snakemake without waiting, in a process group of its own."""
    preset = checkout.path / "workflow/presets/smoke.yaml"
    with (checkout.path / "said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments[:1],
             "--configfile", preset, *arguments[1:]],
            cwd=checkout.path, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def test_a_training_broken_off_by_kill_or_ctrl_c_ends_with_the_same_bytes(copy, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text("{checkpoint_minutes: 0, nets: {epochs: {deep: 20}}}")
    member = "results/smoke/nets/Model-1/member-0"
    net, history = f"{member}.safetensors", f"{member}.history.csv"
    log, said = copy.path / LOG_OF_MODEL_1, copy.path / "said"

    held = HeldJobs.of(copy, member)
    first = start(copy, net, changes)
    os.kill(held.wait_for_one(first, said.read_text), signal.SIGKILL)
    assert first.wait(LIMIT) == 1
    assert f"Error in rule {RULE_OF_MODELS}" in said.read_text()

    second = start(copy, net, changes)
    job = held.wait_for_one(second, said.read_text)
    assert "going on after epoch" in log.read_text()
    os.killpg(second.pid, signal.SIGINT)  # what Ctrl-C does
    wait_until(lambda: "asked to stop" in log.read_text())
    held.let_go(job)
    assert second.wait(LIMIT) != 0, said.read_text()
    assert "run again to go on from there." in log.read_text()
    held.end()

    third = start(copy, net, changes)
    assert third.wait(LIMIT) == 0, said.read_text()
    assert "going on after epoch" in log.read_text()
    resumed = [(copy.path / path).read_bytes() for path in (net, history)]
    assert not (copy.path / "results/smoke/nets/Model-1/checkpoints").exists()

    (copy.path / net).unlink()
    undisturbed = start(copy, net, changes)
    assert undisturbed.wait(LIMIT) == 0, said.read_text()
    assert "going on" not in log.read_text()
    assert [(copy.path / path).read_bytes() for path in (net, history)] == resumed
