"""Trainings in the real Snakefile: interrupted, in company, and stopped early."""

import os
import signal
import subprocess
import sys
import time

import pytest

from coarsegrain.storage.tables import read_table
from test_workflow import planned

pytestmark = pytest.mark.slow

REPORT = {"results/smoke/report.html", "results/smoke/config.json"}


@pytest.mark.parametrize(
    "settings",
    [
        "{checkpoint_minutes: 60, jobs_per_gpu: 2}",
        "members_per_job: 2",
        "nets: {plateau: {epochs: 3, tolerance: 0.1}}",
    ],
)
def test_settings_that_decide_no_result_remake_none(smoke_run, tmp_path, settings):
    assert planned(smoke_run, settings, tmp_path) <= REPORT


def test_members_trained_in_one_job_give_the_same_tables(smoke_run, checkout, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text("members_per_job: 3")
    tables = [f"results/smoke/tables/{name}.csv" for name in ("model_losses", "thermometer")]
    run = checkout.smoke(*tables, changes=[changes])
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("members 0-1, together") == 9
    for table in tables:
        assert (checkout.path / table).read_bytes() == (smoke_run.path / table).read_bytes()
    changes.write_text("members_per_job: 1")
    assert "Nothing to be done" in checkout.smoke(*tables, changes=[changes]).stdout
    # Two more members are trained together, without those that are finished.
    changes.write_text("{members: 4, members_per_job: 2}")
    outputs = planned(checkout, "{members: 4, members_per_job: 2}", tmp_path)
    together = {path for path in outputs if "/together/" in path}
    assert len(together) == 9
    assert all(path.endswith("/members-2-3.safetensors") for path in together)
    assert not [path for path in outputs if "/nets/" in path and "/member-0.safetensors" in path]


def test_a_plateau_ends_trainings_and_their_histories_say_so(smoke_run, checkout, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text(
        "nets: {stopping: plateau, plateau: {epochs: 2, tolerance: 0.5}, epochs: {deep: 50}}"
    )
    net = "results/smoke/nets/Model-1/member-0.safetensors"
    assert net in planned(smoke_run, changes.read_text(), tmp_path)
    run = checkout.smoke(net, changes=[changes])
    assert run.returncode == 0, run.stdout
    history = read_table(checkout.path / net.replace(".safetensors", ".history.csv"))
    assert history["ended_by"].iloc[-1] == "plateau"
    assert history["epoch"].max() < 50


def start(checkout, *arguments):
    """Start snakemake without waiting, in a process group of its own."""
    preset = checkout.path / "workflow/presets/smoke.yaml"
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments[:1],
         "--configfile", preset, *arguments[1:]],
        cwd=checkout.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )  # fmt: skip


def jobs_of(checkout, stage):
    """Process numbers of a stage's running jobs."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                command = file.read()
            folder = os.readlink(f"/proc/{process}/cwd")
        except OSError:  # it has ended
            continue
        if f"stages.{stage}\0".encode() in command and folder == str(checkout.path):
            found.append(int(process))
    return found


def wait_for_checkpoint(checkout, net, run):
    folder = checkout.path / f"results/smoke/nets/{net}/checkpoints"
    until = time.monotonic() + 120
    while not list(folder.glob("member-0.*")):
        assert run.poll() is None, run.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_training_broken_off_by_kill_or_ctrl_c_ends_with_the_same_bytes(checkout, tmp_path):
    changes = tmp_path / "changes.yaml"
    changes.write_text("{checkpoint_minutes: 0, nets: {epochs: {deep: 300}}}")
    net = "results/smoke/nets/Model-1/member-0.safetensors"
    history = net.replace(".safetensors", ".history.csv")
    log = checkout.path / "results/smoke/logs/train_net/Model-1/member-0.log"

    first = start(checkout, net, changes)
    wait_for_checkpoint(checkout, "Model-1", first)
    for job in jobs_of(checkout, "autoencoder.train_net"):
        os.kill(job, signal.SIGKILL)
    said, _ = first.communicate(timeout=120)
    assert first.returncode == 1
    assert "Error in rule train_net" in said
    assert not (checkout.path / net).exists()

    second = start(checkout, net, changes)
    until = time.monotonic() + 120
    while not (log.exists() and "going on after epoch" in log.read_text()):
        assert second.poll() is None, second.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(second.pid, signal.SIGINT)  # what Ctrl-C does
    said, _ = second.communicate(timeout=120)
    assert second.returncode != 0, said
    assert "run again to go on from there." in log.read_text()

    third = start(checkout, net, changes)
    said, _ = third.communicate(timeout=120)
    assert third.returncode == 0, said
    resumed = [(checkout.path / path).read_bytes() for path in (net, history)]
    assert not (checkout.path / "results/smoke/nets/Model-1/checkpoints").exists()

    (checkout.path / net).unlink()
    undisturbed = start(checkout, net, changes)
    said, _ = undisturbed.communicate(timeout=120)
    assert undisturbed.returncode == 0, said
    assert "going on" not in log.read_text()
    assert [(checkout.path / path).read_bytes() for path in (net, history)] == resumed
