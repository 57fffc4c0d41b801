"""Runs that are killed, starved and hindered: the next one ends as if nothing had been."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from final_names import MODIFY, MOVED_TO, FinalNames

from checkouts import PROJECT, Checkout
from pipeline.sidecars import sha256, sidecar_path

pytestmark = pytest.mark.slow
MOUNTS = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount file systems")

NET = "results/smoke/nets/CG-64-32/member-0"
TARGET = f"{NET}.losses.csv"
LATTICES = "results/smoke/lattices/critical/CG-64-32/member-0"
MADE = [
    *(f"{LATTICES}{level}.nc" for level in ("", ".step-1", ".step-2")),
    "results/smoke/certificates/critical/CG-64-32/member-0.json",
    f"{NET}.safetensors", f"{NET}.history.csv", TARGET,
]  # fmt: skip


@pytest.fixture
def emptied(checkout):
    """A checkout with the folders of results, without any."""
    for path in MADE:
        (checkout.path / path).parent.mkdir(parents=True, exist_ok=True)
        # Snakemake removes an empty folder with the outputs of a failed job, and its watch ends.
        (checkout.path / path).with_name("notes").touch()
    return checkout


@pytest.fixture
def made(smoke_run, tmp_path):
    """A copy of the finished run."""
    shutil.copytree(smoke_run.path, tmp_path / "copy")
    return Checkout(tmp_path / "copy")


def assert_all_is_as_undisturbed(checkout, smoke_run):
    for path in MADE:
        assert (checkout.path / path).read_bytes() == (smoke_run.path / path).read_bytes(), path
        record = json.loads(sidecar_path(checkout.path / path).read_text())
        assert record["sha256"] == sha256(checkout.path / path)


def start(checkout, *arguments):
    """Start snakemake without waiting, in a process group of its own."""
    preset = PROJECT / "workflow/presets/smoke.yaml"
    with (checkout.path / "said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "2", TARGET,
             "--configfile", preset, *arguments],
            cwd=checkout.path, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def ends_well(checkout, smoke_run, *arguments):
    run = checkout.smoke(TARGET, *arguments)
    assert run.returncode == 0, run.stdout
    assert "Traceback" not in run.stdout
    assert_all_is_as_undisturbed(checkout, smoke_run)
    return run


def stage_runs(checkout, name):
    """Whether a job of a stage has begun: its log is there."""
    return any((checkout.path / "results/smoke/logs").glob(f"{name}/**/*.log"))


def test_kills_at_every_stage_show_no_half_file_and_the_last_run_ends_as_if_undisturbed(
    smoke_run, emptied
):
    """Snakemake alone (its job goes on, beside the next run), then all, then politely."""
    watched = FinalNames({(emptied.path / path).parent for path in MADE})
    whole = {emptied.path / path: sha256(smoke_run.path / path) for path in MADE}

    def told():
        for what, path in watched.told():
            assert what == MOVED_TO, (what, path)
            if path in whole and path.exists():
                assert sha256(path) == whole[path]
            yield path

    run = start(emptied)
    wait_for(lambda: stage_runs(emptied, "sample_lattices"))
    run.kill()  # -9, of Snakemake only
    run.wait()

    run = start(emptied)
    wait_for(lambda: stage_runs(emptied, "certify_lattices") or run.poll() is not None)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    run = start(emptied)
    wait_for(lambda: stage_runs(emptied, "autoencoder.train_net") or run.poll() is not None)
    os.killpg(run.pid, signal.SIGINT)
    time.sleep(0.3)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGINT)
    run.wait(60)
    list(told())
    ends_well(emptied, smoke_run)
    appeared = set(told())
    assert emptied.path / TARGET in appeared
    left = [p for p in (emptied.path / "results").rglob("*.partial-*") if "nets" in p.parts]
    assert not left


def test_the_watch_tells_of_a_file_written_under_its_final_name(tmp_path):
    watched = FinalNames([tmp_path])
    (tmp_path / ".a.partial-1").write_text("1")
    os.replace(tmp_path / ".a.partial-1", tmp_path / "a")
    assert watched.told() == [(MOVED_TO, tmp_path / "a")]
    (tmp_path / "a").write_text("2")
    assert (MODIFY, tmp_path / "a") in watched.told()


SPOILT = {"empty": b"", "garbage": b"\xff\xfe\x00\x81 no text"}


@pytest.mark.parametrize("what", ["empty", "garbage"])
def test_what_a_power_loss_spoils_is_mended_by_the_next_run(smoke_run, made, what):
    notes = made.path / ".snakemake"
    (notes / "locks").mkdir(exist_ok=True)
    (notes / "locks/0.output.lock").touch()
    (notes / "checksums.json").touch()
    for note in (notes / "metadata").rglob("*"):
        if note.is_file():
            shutil.copy(note, notes / "incomplete" / note.name)
    spoilt = [
        *(path for folder in ("metadata", "incomplete", "locks", "kernels")
          for path in (notes / folder).rglob("*") if path.is_file()),
        notes / "running.lock", notes / "checksums.json",
        made.path / f"{NET}.history.csv", sidecar_path(made.path / f"{NET}.safetensors"),
    ]  # fmt: skip
    for path in spoilt:
        path.write_bytes(SPOILT[what])
    for path in (made.path / f"{LATTICES}.nc", notes / "running.lock"):
        os.utime(path, (2.2e9, 2.2e9))  # the year 2039
    os.utime(made.path / f"{LATTICES}.step-1.nc", (0, 0))
    ends_well(made, smoke_run)
    again = ends_well(made, smoke_run)
    assert "Nothing to be done" in again.stdout


@contextlib.contextmanager
def mounted(folder, *options):
    subprocess.run(["mount", *options, folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@MOUNTS
@pytest.mark.parametrize("place", ["results", ".snakemake"])
def test_a_full_disk_is_told_in_words_and_with_room_again_the_run_ends_as_if_undisturbed(
    smoke_run, checkout, place
):
    folder = checkout.path / place
    folder.mkdir(exist_ok=True)
    with mounted(folder, "-t", "tmpfs", "-o", "size=100k", "tmpfs"):
        run = checkout.smoke(TARGET)
        if run.returncode:
            # What Snakemake itself cannot write in the middle of a run it tells in its own words.
            told = ("the disk is full; free some space", "No space left on device")
            assert any(words in run.stdout for words in told), run.stdout
        subprocess.run(["mount", "-o", "remount,size=50m", folder], check=True)
        ends_well(checkout, smoke_run)


@MOUNTS
@pytest.mark.parametrize("place", ["results", ".snakemake", "."])
def test_a_read_only_folder_is_told_in_a_sentence_before_any_job(smoke_run, made, place):
    (made.path / TARGET).unlink()
    folder = made.path / place
    with mounted(folder, "--bind", folder):
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        # from outside: a process is where it was before the mount
        run = Checkout(made.path).smoke(TARGET)
    assert run.returncode != 0
    assert "read-only file system" in run.stdout
    assert 'File "' not in run.stdout
    assert "Evaluating" not in run.stdout
    assert run.stdout.rstrip().endswith(".")
    ends_well(made, smoke_run)


def test_a_folder_in_an_outputs_place_is_told_before_anything_is_computed(smoke_run, made):
    path = made.path / f"{NET}.safetensors"
    path.unlink()
    (made.path / TARGET).unlink()
    path.mkdir()
    (path / "mine").touch()
    run = made.smoke(TARGET)
    assert run.returncode != 0
    assert f"{NET}.safetensors is a folder, not a file; move it away." in run.stdout
    assert "epochs in" not in run.stdout
    path.rename(made.path / "away")
    ends_well(made, smoke_run)


def test_a_second_run_on_the_same_files_is_refused_and_one_on_others_is_not(smoke_run, emptied):
    other = ("--config", "results_dir=results/other")
    elsewhere = TARGET.replace("smoke", "other")
    first = start(emptied)
    wait_for(lambda: stage_runs(emptied, "sample_lattices"))
    os.killpg(first.pid, signal.SIGSTOP)  # so that it surely goes on during all of this
    try:
        for _ in range(2):
            refused = emptied.smoke(TARGET)
            assert refused.returncode != 0
            assert "Another run is at work on the same files" in refused.stdout
            assert 'File "' not in refused.stdout
            # A run that ends takes away its own locks, not those of the first.
            beside = emptied.smoke(elsewhere, *other)
            assert beside.returncode == 0, beside.stdout
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    assert first.wait(120) == 0, (emptied.path / "said").read_text()
    assert_all_is_as_undisturbed(emptied, smoke_run)
