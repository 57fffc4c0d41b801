"""`make verify` tells what is fine, stale, damaged, missing or foreign, and changes nothing."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checkouts import PROJECT
from pipeline.job_list import Job
from pipeline.sidecars import sha256, sidecar_path, write_sidecar
from pipeline.staleness.changes import changed_keys, described
from pipeline.staleness.judgement import MISMATCH, OTHER_INPUTS, State
from pipeline.verification.advice import advice
from pipeline.verification.leftovers import leftovers
from pipeline.verification.outputs import UPSTREAM, judge
from pipeline.verification.text import all_fine, report

RESULTS = Path("results")
LATTICES, NET, TABLE = "results/lattices.nc", "results/net.safetensors", "results/table.csv"


def job(stage, output, inputs=(), spec=None, code="c0de", pending=False):
    """A job of the workflow."""
    return Job(
        rule=stage,
        wildcards={},
        inputs=list(inputs),
        outputs=[output] if isinstance(output, str) else output,
        threads=1,
        memory_mb=1,
        stage=f"stages.{stage}",
        spec=spec or {},
        code=code,
        options={"inputs": list(inputs)},
        pending=pending,
    )


def make(each, content):
    """Do a job: write its output and the sidecar."""
    path = Path(each.outputs[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    write_sidecar(
        path,
        content=path,
        stage=each.stage,
        spec=each.spec,
        code=each.code,
        inputs={"inputs": [(Path(path), sha256(Path(path))) for path in each.inputs]},
        facts={},
    )


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Lattices, a net from them and a table from that, all made."""
    monkeypatch.chdir(tmp_path)
    jobs = [
        job("sample", LATTICES, spec={"seed": 1, "betas": {"constant": 0.4}}),
        job("train", NET, [LATTICES], spec={"settings": {"l1": 1e-05}}),
        job("tabulate", TABLE, [NET]),
    ]
    for k, each in enumerate(jobs):
        make(each, f"content {k}\n")
    return jobs


def states(jobs):
    return {each.path: each.state for each in judge(jobs)}


def reasons(jobs, path):
    return next(each.reasons for each in judge(jobs) if each.path == path)


def test_differences_of_specs_are_told_by_key_old_and_new():
    old = {"a": 1, "settings": {"l1": 1e-05, "loss": "hinge"}, "members": [{"k": 0}, {"k": 1}]}
    new = {"b": 2, "settings": {"l1": 1e-04, "loss": "hinge"}, "members": [{"k": 0}, {"k": 7}]}
    assert changed_keys(old, new) == [
        "a: 1 -> (none)",
        "b: (none) -> 2",
        "members[1].k: 1 -> 7",
        "settings.l1: 1e-05 -> 0.0001",
    ]
    assert changed_keys(old, old) == []


def test_numbers_that_python_takes_for_equal_are_different_specs_as_for_snakemake():
    assert changed_keys({"l1": 0}, {"l1": 0.0}) == ["l1: 0 -> 0.0"]


def test_many_and_long_differences_are_cut():
    text = described({str(k): "x" * 99 for k in range(9)}, {})
    assert text.endswith("; and 5 more")
    assert max(len(part) for part in text.split("; ")) < 60


def test_what_agrees_with_its_sidecar_is_fine(chain):
    verdicts = judge(chain)
    assert [(each.path, each.state, each.reasons) for each in verdicts] == [
        (path, State.FINE, ()) for path in (LATTICES, NET, TABLE)
    ]
    assert all_fine(verdicts, [])
    assert advice(verdicts, []) == "Nothing is to be done."


def test_what_was_made_from_a_file_before_it_was_damaged_only_waits(chain):
    Path(LATTICES).write_text("hit by a bad disk")
    assert states(chain) == {LATTICES: State.DAMAGED, NET: State.WAITING, TABLE: State.WAITING}
    assert reasons(chain, LATTICES) == (MISMATCH,)
    assert reasons(chain, TABLE) == (UPSTREAM,)


def test_what_was_made_from_a_damaged_file_is_stale(chain):
    Path(LATTICES).write_text("hit by a bad disk")
    make(chain[1], "trained on rubbish")
    assert states(chain)[NET] is State.STALE
    assert reasons(chain, NET) == (f"an input's content changed: {LATTICES}",)


def test_a_changed_spec_code_or_stage_makes_stale_what_it_decides_and_nothing_else(chain):
    before = chain[1]
    chain[1] = job("train", NET, [LATTICES], spec={"settings": {"l1": 1e-04}})
    assert states(chain) == {LATTICES: State.FINE, NET: State.STALE, TABLE: State.WAITING}
    assert reasons(chain, NET) == ("its spec changed: settings.l1: 1e-05 -> 0.0001",)
    chain[1] = job("train", NET, [LATTICES], spec=before.spec, code="0ther")
    assert reasons(chain, NET) == ("the code of stages.train changed",)
    chain[1] = job("learn", NET, [LATTICES], spec=before.spec)
    assert reasons(chain, NET) == ("it was made by stages.train, and stages.learn makes it now",)


def test_an_input_made_again_with_other_bytes_makes_stale_and_with_the_same_ones_does_not(chain):
    make(chain[0], "content 0\n")
    assert set(states(chain).values()) == {State.FINE}
    make(chain[0], "other lattices")
    assert states(chain) == {LATTICES: State.FINE, NET: State.STALE, TABLE: State.WAITING}


@pytest.mark.parametrize("inputs", [[], [LATTICES, TABLE.replace("table", "more")]])
def test_a_file_with_other_inputs_than_now_is_stale(chain, inputs):
    Path("results/more.csv").write_text("more")
    chain[1] = job("train", NET, inputs, spec=chain[1].spec)
    assert reasons(chain, NET) == (OTHER_INPUTS,)


def test_inputs_that_must_only_be_there_are_no_inputs_of_the_record(chain):
    certificate = job("certify", "results/certificate.json", [LATTICES])
    make(certificate, "passed")
    chain[1] = dataclasses.replace(chain[1], inputs=[LATTICES, *certificate.outputs, LATTICES])
    assert set(states([*chain, certificate]).values()) == {State.FINE}
    Path(certificate.outputs[0]).write_text("not passed")
    assert states([*chain, certificate])[NET] is State.FINE  # it is not made again


def test_what_was_made_from_a_deleted_file_waits_while_the_same_file_would_be_made_now(chain):
    Path(LATTICES).unlink()
    assert states(chain) == {LATTICES: State.MISSING, NET: State.WAITING, TABLE: State.WAITING}
    Path(NET).unlink()
    assert states(chain)[TABLE] is State.WAITING


@pytest.mark.parametrize("change", [{"spec": {"seed": 2}}, {"code": "0ther"}])
def test_what_was_made_from_a_deleted_file_is_stale_if_another_would_be_made_now(chain, change):
    Path(LATTICES).unlink()
    chain[0] = dataclasses.replace(chain[0], **change)
    assert states(chain) == {LATTICES: State.MISSING, NET: State.STALE, TABLE: State.WAITING}
    would_be_another = "an input was deleted, and would be made otherwise now"
    assert reasons(chain, NET) == (f"{would_be_another}: {LATTICES}",)
    Path(NET).unlink()  # so is what was made from that, however far away the change is
    assert reasons(chain, TABLE) == (f"{would_be_another}: {NET}",)


def test_what_was_made_from_a_file_that_was_deleted_with_its_sidecar_is_stale(chain):
    Path(LATTICES).unlink()
    sidecar_path(Path(LATTICES)).unlink()
    assert reasons(chain, NET) == (f"an input was deleted, and its sidecar is missing: {LATTICES}",)


def test_a_deleted_input_that_another_workflows_job_makes_is_left_to_snakemake(chain):
    Path(LATTICES).unlink()
    sidecar_path(Path(LATTICES)).unlink()
    chain[0] = dataclasses.replace(chain[0], stage=None)
    assert states(chain)[NET] is State.WAITING


def test_results_under_another_name_are_as_fine_as_before(chain):
    shutil.copytree("results", "restored")
    moved = [
        dataclasses.replace(
            each,
            inputs=[path.replace("results", "restored") for path in each.inputs],
            outputs=[path.replace("results", "restored") for path in each.outputs],
            options={"inputs": [path.replace("results", "restored") for path in each.inputs]},
        )
        for each in chain
    ]
    assert {each.state for each in judge(moved)} == {State.FINE}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda sidecar: sidecar.unlink(), "its sidecar is missing"),
        (lambda sidecar: sidecar.write_text('{"file"'), "its sidecar is no JSON"),
        (lambda sidecar: sidecar.write_bytes(b"\xff\x00" * 99), "its sidecar is no JSON"),
        (lambda sidecar: sidecar.write_text("[]"), "its sidecar is not one of this version's"),
        (lambda sidecar: sidecar.write_text("{}"), "its sidecar is not one of this version's"),
        (lambda sidecar: shutil.copy(f"{TABLE}.prov.json", sidecar), "is that of table.csv"),
        (
            lambda sidecar: sidecar.write_text(
                json.dumps({**json.loads(sidecar.read_text()), "inputs": ["a"]})
            ),
            "its sidecar is not one of this version's",
        ),
        (
            lambda sidecar: (sidecar.unlink(), sidecar.mkdir()),
            "its sidecar cannot be read (Is a directory)",
        ),
    ],
)
def test_without_a_sidecar_that_can_be_read_a_file_is_damaged(chain, spoil, reason):
    spoil(sidecar_path(Path(NET)))
    assert states(chain) == {LATTICES: State.FINE, NET: State.DAMAGED, TABLE: State.WAITING}
    (told,) = reasons(chain, NET)
    assert reason in told


def test_a_file_that_cannot_be_read_is_damaged(chain):
    Path(NET).unlink()
    Path(NET).mkdir()
    assert reasons(chain, NET) == ("it cannot be read (Is a directory)",)


def test_temporary_files_are_judged_only_where_they_are_left(chain):
    shard = "results/shard.nc"
    temporary = job("sample_shard", [shard, f"{shard}.prov.json"])
    make(temporary, "a part")
    chain[0] = job("sample", LATTICES, [shard], spec=chain[0].spec)
    make(chain[0], "content 0\n")
    jobs = [temporary, *chain]
    assert states(jobs)[shard] is State.FINE
    Path(shard).unlink()
    assert states(jobs) == dict.fromkeys((LATTICES, NET, TABLE), State.FINE)


def test_what_no_job_makes_is_told_by_what_it_is(chain):
    for name in (
        "logs/train.log", "benchmarks/train.tsv", "nets/a/checkpoints/member-0.abc.safetensors",
        "machines/b/checkpoints/0.safetensors", "tables/checkpoints/0.csv",
        "variants/v/nets/a/checkpoints/member-0.abc.safetensors",
        ".net.partial-12.safetensors", ".net.safetensors.prov.json.partial-12", "notes.txt",
        "gone.csv.prov.json", "logs",
    ):  # fmt: skip
        path = RESULTS / name
        if not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
    make(job("train", "results/net-7.safetensors", [LATTICES]), "one member more")
    left = leftovers(RESULTS, [LATTICES, NET, TABLE])
    told = {each.path.removeprefix("results/"): (each.kind, each.origin) for each in left}
    assert told == {
        "logs/train.log": ("logs", ""),
        "benchmarks/train.tsv": ("benchmarks", ""),
        "nets/a/checkpoints/member-0.abc.safetensors": ("checkpoints", ""),
        "machines/b/checkpoints/0.safetensors": ("checkpoints", ""),
        "variants/v/nets/a/checkpoints/member-0.abc.safetensors": ("checkpoints", ""),
        "tables/checkpoints/0.csv": ("foreign", "of unknown origin"),
        ".net.partial-12.safetensors": ("partial files", ""),
        ".net.safetensors.prov.json.partial-12": ("partial files", ""),
        "notes.txt": ("foreign", "of unknown origin"),
        "gone.csv.prov.json": ("foreign", "the sidecar of a file that is not there"),
        "net-7.safetensors": (
            "foreign",
            "made by stages.train for another config or another version",
        ),
    }
    assert not all_fine([], left)
    assert all_fine([], [each for each in left if each.kind != "foreign"])


def test_a_linked_folder_is_looked_into_once(chain):
    Path("disk/deep").mkdir(parents=True)
    Path("disk/deep/other.nc").write_text("x")
    Path("disk/deep/round").symlink_to(Path("disk").resolve())
    Path("results/lattices").symlink_to(Path("disk").resolve())
    left = leftovers(RESULTS, [LATTICES, NET, TABLE])
    assert [each.path for each in left] == ["results/lattices/deep/other.nc"]


def test_advice_follows_from_what_snakemake_would_do(chain):
    Path(LATTICES).unlink()
    Path(TABLE).write_text("x")
    told = advice(judge([chain[0], chain[1], dataclasses.replace(chain[2], pending=True)]), [])
    assert "again (1 damaged)" in told
    assert f'make run ARGS="-- {LATTICES}"' in told
    told = advice(judge([dataclasses.replace(each, pending=True) for each in chain]), [])
    assert "again (1 damaged, 1 missing)" in told
    assert "ARGS" not in told


@pytest.mark.parametrize("path", ["variants/a/tables/losses.csv", "tables/variants/losses.csv"])
def test_advice_is_to_make_all_where_files_of_variants_are_left_to_make(chain, path):
    own, of_a_variant = job("tabulate", "results/variants.csv"), job("tabulate", f"results/{path}")
    for each, target in ((own, "run"), (of_a_variant, "all")):
        told = advice(judge([*chain, dataclasses.replace(each, pending=True)]), [], "smoke")
        assert f"make {target} PRESET=smoke" in told


def test_a_long_list_is_cut_and_says_where_the_whole_is():
    jobs = [job("train", f"results/absent-{k}.nc") for k in range(30)]
    verdicts = judge(jobs)
    text = report(Path("results"), verdicts, [])
    assert "missing: 30 files" in text
    assert "and 10 more" in text
    assert "make -s verify ARGS='--paths missing'" in advice(verdicts, [])


# ---- The real Snakefile ----


def copied(smoke_run, tmp_path):
    copy = dataclasses.replace(smoke_run, path=tmp_path / "copy")
    shutil.copytree(smoke_run.path, copy.path)
    return copy


def snapshot(folder):
    """Type, time and bytes of all that is in a folder, but for Python's compiled modules."""
    return {
        path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest())
        if path.is_file()
        else path.stat().st_mtime_ns
        for path in [folder, *folder.rglob("*")]
        if not any(part in ("__pycache__", "workflow") for part in path.relative_to(folder).parts)
    }


def verify(checkout, *arguments, changes=()):
    """Verify a checkout's smoke run, prove that nothing changed, and return status and text."""
    files = [PROJECT / "workflow/presets/smoke.yaml", *changes]
    before = snapshot(checkout.path)
    run = subprocess.run(
        [sys.executable, "-m", "pipeline.verify", *arguments, "--configfile", *map(str, files)],
        cwd=checkout.path,
        env={**os.environ, "PYTHONPATH": str(checkout.path / "workflow")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert snapshot(checkout.path) == before
    assert "Traceback" not in run.stdout, run.stdout
    return run.returncode, run.stdout


def listed(text):
    """The files of each class, as the report lists them, with the results folder left out."""
    classes, now = {}, None
    for line in text.splitlines():
        if line and not line.startswith((" ", "-")):
            now = classes.setdefault(line.split(":")[0], set())
        elif line.startswith("    results/smoke/"):
            now.add(line.strip().removeprefix("results/smoke/"))
    return classes


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.slow
def test_after_a_run_all_is_fine(smoke_run):
    status, text = verify(smoke_run)
    assert status == 0, text
    assert "Nothing is to be done." in text
    made = [
        path for path in (smoke_run.path / "results/smoke").rglob("*.prov.json") if path.is_file()
    ]
    assert f"results/smoke: {len(made)} fine" in text


@pytest.mark.slow
def test_every_damage_is_told_by_name_on_a_locked_read_only_folder(smoke_run, tmp_path):
    copy = copied(smoke_run, tmp_path)
    results = copy.path / "results/smoke"
    flip_last_byte(results / "lattices/critical/Model-1/member-0.nc")
    table = results / "tables/beta_flow.csv"
    table.write_text(table.read_text().replace("1", "2", 1))
    net = results / "nets/AE-WR/member-1.safetensors"
    net.write_bytes(net.read_bytes()[: net.stat().st_size // 2])
    sidecar_path(results / "figures/thermometer.pdf").unlink()
    sidecar_path(results / "certificates/local_entropy.json").write_bytes(b"\0garbage" * 40)
    (results / "figures/local_entropy.png").unlink()
    (results / "lattices/wide_range/thermometer/member-0.nc").unlink()
    (results / "notes.txt").write_text("mine")
    for name in ("member-0.history.csv", "member-0.history.csv.prov.json"):
        more = results / "nets/Model-1" / name.replace("0", "7")
        more.write_text((results / "nets/Model-1" / name).read_text().replace("r-0.", "r-7."))
    lock = copy.path / ".snakemake/runs/results/smoke/run.lock"
    lock.write_text("{}")
    folders = [results, *(path for path in results.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        status, text = verify(copy)
        _, waiting = verify(copy, "--paths", "waiting")
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert status == 1
    classes = listed(text)
    assert classes["damaged"] == {
        "lattices/critical/Model-1/member-0.nc", "tables/beta_flow.csv",
        "nets/AE-WR/member-1.safetensors", "figures/thermometer.pdf",
        "certificates/local_entropy.json",
    }  # fmt: skip
    assert classes["missing"] == {
        "figures/local_entropy.png", "lattices/wide_range/thermometer/member-0.nc",
    }  # fmt: skip
    assert classes["foreign"] == {"notes.txt", "nets/Model-1/member-7.history.csv"}
    assert "stale" not in classes
    assert "results/smoke/nets/Model-1/member-0.safetensors" in waiting.splitlines()
    assert "results/smoke/nets/Model-1/member-1.safetensors" not in waiting.splitlines()
    assert "its sidecar is missing" in text
    assert "its sidecar is no JSON" in text
    assert "A run is going on in results/smoke, or was killed" in text
    # A figure is asked for by the report; lattices between finished files are not.
    (command,) = (line for line in text.splitlines() if line.startswith('    make run ARGS="-- '))
    assert "lattices/wide_range/thermometer/member-0.nc" in command
    assert "figures/local_entropy.png" not in command


@pytest.mark.slow
def test_a_run_mends_what_is_damaged_and_what_is_asked_for_by_name(smoke_run, tmp_path):
    copy = copied(smoke_run, tmp_path)
    net = "results/smoke/nets/Model-1/member-0.safetensors"
    lattices = "results/smoke/lattices/wide_range/thermometer/member-0.nc"
    flip_last_byte(copy.path / net)
    (copy.path / lattices).unlink()
    status, paths = verify(copy, "--paths", "damaged")
    assert (status, paths.splitlines()) == (1, [net])
    run = copy.snakemake("--configfile", str(PROJECT / "workflow/presets/smoke.yaml"), "--", net)
    assert run.returncode == 0, run.stdout
    status, text = verify(copy, net, lattices)
    assert (status, listed(text)["missing"]) == (1, {lattices.removeprefix("results/smoke/")})
    assert "damaged" not in listed(text)


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
def test_a_changed_setting_is_told_also_when_snakemake_has_forgotten(smoke_run, tmp_path, known):
    copy = copied(smoke_run, tmp_path)
    if not known:
        shutil.rmtree(copy.path / ".snakemake")
    changes = tmp_path / "changes.yaml"
    changes.write_text("nets: {l1: 1e-4}")
    changes = Path(os.path.relpath(changes, copy.path))  # above the checkout
    status, text = verify(copy, changes=[changes])
    assert status == 1
    assert "its spec changed: settings.l1: 1e-05 -> 0.0001 (32)" in text
    assert "its spec changed: l1: 1e-05 -> 0.0001" in text  # of the losses
    assert "an input's content changed" not in text
    _, paths = verify(copy, "--paths", "stale", changes=[changes])
    nets = {path.split("/")[3] for path in paths.split() if "/nets/" in path}
    assert nets == {
        "CG-64-32", "CG-32-16", "UP-16-32", "UP-32-64", "AE-WR", "Model-1", "Model-2",
        "Model-2-CG",
    }  # fmt: skip
    others = {path.split("/")[2] for path in paths.split() if "/nets/" not in path}
    assert others == {"report.html", "config.json"}
    assert f"A run makes these again ({len(paths.split())} stale)" in text


@pytest.mark.slow
def test_an_edited_comment_makes_nothing_stale_and_an_edited_line_what_runs_it(smoke_run, tmp_path):
    copy = copied(smoke_run, tmp_path)
    module = copy.path / "workflow/coarsegrain/analysis/entropy.py"
    module.write_text(module.read_text() + "# A remark.\n")
    status, text = verify(copy)
    assert status == 0, text
    module.write_text(module.read_text() + "CHANGED = True\n")
    status, text = verify(copy)
    assert status == 1
    assert listed(text)["stale"] == {"tables/local_entropy.csv", "tables/entropy_gaps.csv"}
    assert "the code of stages.autoencoder.local_entropy changed" in text


@pytest.mark.slow
def test_a_missing_results_folder_is_told_with_all_that_belongs_there(smoke_run, tmp_path):
    copy = copied(smoke_run, tmp_path)
    shutil.rmtree(copy.path / "results")
    status, text = verify(copy)
    assert status == 1
    assert "There is no folder results/smoke." in text
    (counts,) = (line for line in text.splitlines() if line.startswith("results/smoke: "))
    assert counts.split()[2:] == ["missing"]


@pytest.mark.slow
def test_a_bad_config_is_told_as_make_run_tells_it(smoke_run, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("L: 7")
    status, text = verify(smoke_run, changes=[bad])
    assert status == 1
    assert "L is 7" in text
    assert f"{smoke_run.path}/workflow/rules/common.smk" in text


@pytest.mark.slow
def test_with_targets_named_only_what_they_need_is_verified(smoke_run):
    status, text = verify(smoke_run, "results/smoke/lattices/local_entropy.nc")
    assert status == 0, text
    assert "results/smoke: 1 fine" in text
