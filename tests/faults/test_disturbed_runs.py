"""Runs that are killed, starved and hindered: the next one ends as if nothing had been."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from final_names import MODIFY, MOVED_TO, FinalNames

from checkouts import PROJECT, Checkout
from held_jobs import HeldJobs, is_running
from pipeline.sidecars import sha256, sidecar_path
from waiting import LIMIT, wait_until

pytestmark = pytest.mark.slow
MOUNTS = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount file systems")

NET = "results/smoke/nets/CG-64-32/member-0"
TARGET = f"{NET}.losses.csv"
LATTICES = "results/smoke/lattices/critical/CG-64-32/member-0"
CERTIFYING = "certify_lattices"
MADE = [
    *(f"{LATTICES}{level}.nc" for level in ("", ".step-1", ".step-2")),
    "results/smoke/certificates/critical/CG-64-32/member-0.json",
    f"{NET}.safetensors", f"{NET}.history.csv", TARGET,
]  # fmt: skip


@pytest.fixture
def emptied(warm_checkout):
    """A checkout with the folders of results, without any."""
    for path in MADE:
        (warm_checkout.path / path).parent.mkdir(parents=True, exist_ok=True)
        # Snakemake removes an empty folder with the outputs of a failed job, and its watch ends.
        (warm_checkout.path / path).with_name("notes").touch()
    return warm_checkout


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


def ends_well(checkout, smoke_run, *arguments):
    run = checkout.smoke(TARGET, *arguments)
    assert run.returncode == 0, run.stdout
    assert "Traceback" not in run.stdout
    assert_all_is_as_undisturbed(checkout, smoke_run)
    return run


def said(checkout):
    """What the run that ``start`` has started said so far."""
    return (checkout.path / "said").read_text()


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

    held = HeldJobs.of(emptied, LATTICES)
    run = start(emptied)
    left_behind = held.wait_for_one(run, lambda: said(emptied))
    run.kill()  # -9, of Snakemake only
    run.wait()

    run = start(emptied)
    held.wait_for_one(run, lambda: said(emptied), but=left_behind)
    held.end()
    logs = emptied.path / f"results/smoke/logs/{CERTIFYING}"
    wait_until(lambda: any(logs.rglob("*.log")), process=run, told=lambda: said(emptied))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    held = HeldJobs.of(emptied, NET)
    run = start(emptied)
    job = held.wait_for_one(run, lambda: said(emptied))
    os.killpg(run.pid, signal.SIGINT)
    wait_until(lambda: not is_running(job))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGINT)
    run.wait(LIMIT)
    held.end()
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
def test_what_a_power_loss_spoils_is_mended_by_the_next_run(smoke_run, copy, what):
    notes = copy.path / ".snakemake"
    (notes / "checksums.json").touch()
    for note in (notes / "metadata").rglob("*"):
        if note.is_file():
            shutil.copy(note, notes / "incomplete" / note.name)
    spoilt = [
        *(path for folder in ("metadata", "incomplete", "runs", "kernels")
          for path in (notes / folder).rglob("*") if path.is_file()),
        notes / "checksums.json",
        copy.path / f"{NET}.history.csv", sidecar_path(copy.path / f"{NET}.safetensors"),
    ]  # fmt: skip
    for path in spoilt:
        path.write_bytes(SPOILT[what])
    for path in (copy.path / f"{LATTICES}.nc", notes / "runs/results/smoke/run.lock"):
        os.utime(path, (2.2e9, 2.2e9))  # the year 2039
    os.utime(copy.path / f"{LATTICES}.step-1.nc", (0, 0))
    ends_well(copy, smoke_run)
    again = ends_well(copy, smoke_run)
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
    smoke_run, warm_checkout, place
):
    folder = warm_checkout.path / place
    folder.mkdir(exist_ok=True)
    with mounted(folder, "-t", "tmpfs", "-o", "size=100k", "tmpfs"):
        run = warm_checkout.smoke(TARGET)
        if run.returncode:
            # What Snakemake itself cannot write in the middle of a run it tells in its own words.
            told = ("the disk is full; free some space", "No space left on device")
            assert any(words in run.stdout for words in told), run.stdout
        subprocess.run(["mount", "-o", "remount,size=50m", folder], check=True)
        ends_well(warm_checkout, smoke_run)


@MOUNTS
@pytest.mark.parametrize("place", ["results", ".snakemake", "."])
def test_a_read_only_folder_is_told_in_a_sentence_before_any_job(smoke_run, copy, place):
    (copy.path / TARGET).unlink()
    folder = copy.path / place
    with mounted(folder, "--bind", folder):
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        # from outside: a process is where it was before the mount
        run = Checkout(copy.path).smoke(TARGET)
    assert run.returncode != 0
    assert "read-only file system" in run.stdout
    assert 'File "' not in run.stdout
    assert "Evaluating" not in run.stdout
    assert run.stdout.rstrip().endswith(".")
    ends_well(copy, smoke_run)


def test_a_folder_in_an_outputs_place_is_told_before_anything_is_computed(smoke_run, copy):
    path = copy.path / f"{NET}.safetensors"
    path.unlink()
    (copy.path / TARGET).unlink()
    path.mkdir()
    (path / "mine").touch()
    run = copy.smoke(TARGET)
    assert run.returncode != 0
    assert f"{NET}.safetensors is a folder, not a file; move it away." in run.stdout
    assert "epochs in" not in run.stdout
    path.rename(copy.path / "away")
    ends_well(copy, smoke_run)


def test_a_second_run_on_the_same_files_is_refused_and_one_on_others_is_not(smoke_run, emptied):
    other = ("--config", "results_dir=results/other")
    elsewhere = TARGET.replace("smoke", "other")
    held = HeldJobs.of(emptied, LATTICES)
    first = start(emptied)
    held.wait_for_one(first, lambda: said(emptied))  # it goes on during all of this
    try:
        for _ in range(2):
            refused = emptied.smoke(TARGET)
            assert refused.returncode != 0
            assert "Another run is at work on results/smoke." in refused.stdout
            assert 'File "' not in refused.stdout
            # A run that ends takes away its own locks, not those of the first.
            beside = emptied.smoke(elsewhere, *other)
            assert beside.returncode == 0, beside.stdout
    finally:
        held.end()
    assert first.wait(LIMIT) == 0, said(emptied)
    assert_all_is_as_undisturbed(emptied, smoke_run)
