"""The real Snakefile, run on the smoke preset."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys

import pytest

from checkouts import stages
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.nets.architecture import models, shallow_nets
from coarsegrain.storage.lattices import read_lattices, write_lattices
from pipeline.sidecars import sha256, sidecar_path

pytestmark = pytest.mark.slow

TABLES = {
    "model_losses": "model,member,split,hinge,penalty,objective,spin_accuracy",
    "local_entropy": "beta,lattices,boundary,entropy_bits,std_error",
    "thermometer": "beta,beta_predicted,std_error,member",
    "beta_flow": "beta,lattices,beta_predicted,std_error,member",
    "beta_fixed_point": "source,beta_star,low,high",
    "model_architectures": "model,layer,inputs,outputs,weights,activation,biases",
    "certificates": "set,test,beta_min,beta_max,statistic,p_value,score,level,passed",
}
FIGURES = [
    "loss_curves", "reconstructions", "weight_matrices", "spin_correlations", "local_entropy",
    "lattice_gallery", "thermometer", "beta_flow", "autoencoder_wide_range_losses",
    "certificates",
]  # fmt: skip


def rows(checkout, table):
    with (checkout.path / f"results/smoke/tables/{table}.csv").open() as file:
        return list(csv.DictReader(file))


def planned(checkout, settings, tmp_path):
    """The outputs that would be made with some settings changed."""
    changes = tmp_path / "changes.yaml"
    changes.write_text(settings)
    run = checkout.smoke("--summary", changes=[changes])
    assert run.returncode == 0, run.stdout
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    return {line[0] for line in lines if line[-1] == "update pending"}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_its_columns_and_rows(smoke_run, table):
    text = (smoke_run.path / f"results/smoke/tables/{table}.csv").read_text()
    assert text.splitlines()[0] == TABLES[table]
    assert len(text.splitlines()) > 1


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_there_as_pdf_and_png(smoke_run, figure):
    folder = smoke_run.path / "results/smoke/figures"
    assert (folder / f"{figure}.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / f"{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_report_holds_every_figure_with_its_caption(smoke_run):
    report = (smoke_run.path / "results/smoke/report.html").read_text()
    for figure in FIGURES:
        assert f"{figure}.png" in report


def test_losses_are_listed_for_every_net_member_and_split(smoke_run):
    listed = [(r["model"], r["member"], r["split"]) for r in rows(smoke_run, "model_losses")]
    nets = [*shallow_nets(8), *models(8)]
    assert sorted(listed) == sorted(
        (net, member, split)
        for net in nets
        for member in "01"
        for split in ("train", "validation", "test")
    )


def test_hard_coded_nets_recover_every_decimated_spin(smoke_run):
    hard_coded = [r for r in rows(smoke_run, "model_losses") if r["model"].startswith("HCG")]
    assert {(r["hinge"], r["penalty"], r["spin_accuracy"]) for r in hard_coded} == {
        ("0.0", "0.0", "1.0")
    }


def test_every_member_of_every_net_has_lattices_of_its_own(smoke_run):
    folder = smoke_run.path / "results/smoke/lattices"
    sets = [p for p in folder.rglob("member-*.nc") if ".step-" not in p.name]
    trained_or_assembled = 4 + 6 + 1  # CG, UP; models; thermometer
    assert len(sets) == 2 * trained_or_assembled
    seeds = [json.loads(sidecar_path(path).read_text())["spec"]["seed"] for path in sets]
    assert len(set(seeds)) == len(seeds)
    assert len({p.read_bytes() for p in sets}) == len(sets)


def test_every_output_has_a_provenance_sidecar_that_matches_it(smoke_run):
    results = smoke_run.path / "results/smoke"
    made = [
        path
        for folder in ("lattices", "certificates", "nets", "tables", "figures")
        for path in (results / folder).rglob("*")
        if path.is_file() and not path.name.endswith(".prov.json")
    ]
    assert len(made) > 100
    for path in made:
        record = json.loads(sidecar_path(path).read_text())
        assert record["sha256"] == sha256(path)
        for each in (each for files in record["inputs"].values() for each in files):
            assert sha256(smoke_run.path / each["file"]) == each["sha256"]


def test_nothing_unfinished_is_left_behind(smoke_run):
    assert not list((smoke_run.path / "results").rglob("*.partial-*"))


def test_a_second_run_does_nothing_and_says_so(smoke_run):
    run = smoke_run.smoke()
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout


def test_one_more_member_trains_only_that_member_of_each_net(smoke_run, tmp_path):
    outputs = planned(smoke_run, "members: 3", tmp_path)
    folders = ("/nets/", "/lattices/", "/certificates/")
    made = {path for path in outputs if any(folder in path for folder in folders)}
    assert len({path for path in made if "/certificates/" in path}) == 11
    assert all("/member-2." in path for path in made)
    trained = {path.split("/")[3] for path in made if path.endswith(".history.csv")}
    assert trained == {
        "CG-64-32", "CG-32-16", "UP-16-32", "UP-32-64",
        "Model-1", "Model-2", "Model-2-CG", "AE-WR", "thermometer",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "remade", "kept"),
    [
        ("bootstrap_samples: 300", ["tables/beta_fixed_point.csv"], ["nets/", "lattices/"]),
        (
            "local_entropy: {autoencoder_image: rescale}",
            ["tables/local_entropy.csv", "figures/local_entropy.pdf"],
            ["nets/", "lattices/", "tables/beta_flow.csv", "figures/beta_flow.pdf"],
        ),
        (
            "thermometer: {stop_mse: 0.01}",
            ["nets/thermometer/member-0.safetensors", "tables/beta_flow.csv"],
            ["nets/AE-WR/", "nets/Model-1/", "lattices/", "tables/model_losses.csv"],
        ),
        (
            "nets: {l1: 1e-4}",
            ["nets/AE-WR/member-1.safetensors", "tables/model_losses.csv"],
            ["nets/thermometer/", "nets/HCG-64-32/", "lattices/", "tables/thermometer.csv"],
        ),
        (
            "lattices: {wide_range: {number: 500}}",
            ["lattices/wide_range/AE-WR/member-0.nc", "nets/thermometer/member-1.safetensors"],
            ["lattices/critical/", "nets/Model-1/", "tables/model_architectures.csv"],
        ),
    ],
)
def test_a_changed_setting_remakes_what_depends_on_it_and_nothing_else(
    smoke_run, tmp_path, settings, remade, kept
):
    outputs = planned(smoke_run, settings, tmp_path)
    assert {f"results/smoke/{path}" for path in remade} <= outputs
    assert not [
        path for path in outputs for each in kept if path.startswith(f"results/smoke/{each}")
    ]


@pytest.mark.parametrize("shards", [2, 7])
def test_another_number_of_shards_remakes_no_lattices(smoke_run, tmp_path, shards):
    outputs = planned(smoke_run, f"lattices: {{shards: {shards}}}", tmp_path)
    # the report tells the whole config
    assert outputs <= {"results/smoke/report.html", "results/smoke/config.json"}


def test_lattices_are_the_same_bytes_for_any_number_of_shards(smoke_run, checkout, tmp_path):
    sets = ["critical/Model-1/member-0", "wide_range/AE-WR/member-1", "local_entropy"]
    paths = [f"results/smoke/lattices/{name}.nc" for name in sets]
    certificate = "results/smoke/certificates/local_entropy.json"
    changes = tmp_path / "shards.yaml"
    for shards in (3, 7):
        changes.write_text(f"lattices: {{shards: {shards}}}")
        for path in paths:  # those that are there stay
            (checkout.path / path).unlink(missing_ok=True)
        run = checkout.smoke(*paths, certificate, changes=[changes])
        assert run.returncode == 0, run.stdout
        assert run.stdout.count(": lattices.sample_shard local_entropy ") == shards
        for path in paths:
            assert (checkout.path / path).read_bytes() == (smoke_run.path / path).read_bytes()
        assert (checkout.path / certificate).read_bytes() == (
            smoke_run.path / certificate
        ).read_bytes()
        assert not list((checkout.path / "results").rglob("*.shard-*.nc*"))
        for other in (1, 2, shards):
            changes.write_text(f"lattices: {{shards: {other}}}")
            again = checkout.smoke(*paths, certificate, changes=[changes])
            assert "Nothing to be done" in again.stdout, again.stdout


def test_every_set_of_lattices_has_a_certificate_that_it_passed(smoke_run):
    results = smoke_run.path / "results/smoke"
    sets = {
        path.relative_to(results / "lattices").with_suffix("").as_posix()
        for path in (results / "lattices").rglob("*.nc")
        if ".step-" not in path.name
    }
    records = [json.loads(path.read_text()) for path in (results / "certificates").rglob("*.json")
               if not path.name.endswith(".prov.json")]  # fmt: skip
    assert {record["set"] for record in records} == sets
    assert all(record["passed"] and record["family_level"] == 1e-6 for record in records)
    assert {row["set"] for row in rows(smoke_run, "certificates")} == sets
    assert {row["passed"] for row in rows(smoke_run, "certificates")} == {"True"}


def test_nothing_is_computed_from_lattices_that_fail_their_certificate(smoke_run, tmp_path):
    copy = dataclasses.replace(smoke_run, path=tmp_path / "copy")
    shutil.copytree(smoke_run.path, copy.path)
    name = "critical/Model-1/member-0"
    path = copy.path / f"results/smoke/lattices/{name}.nc"
    claimed = read_lattices(path)
    hotter = sample_lattices(0.7 * claimed.betas, 8, seed=1)
    write_lattices(path, hotter, claimed.betas, claimed.attributes)  # whole, with a good seal
    record = json.loads(sidecar_path(path).read_text())  # nor is it damaged, by its sidecar
    sidecar_path(path).write_text(json.dumps({**record, "sha256": sha256(path)}))
    net = "results/smoke/nets/Model-1/member-0.safetensors"
    run = copy.smoke(net)
    assert run.returncode != 0
    assert f"{name}.nc fail their certificate" in run.stdout
    assert "Traceback" not in run.stdout
    assert "autoencoder.train_net Model-1 0" not in run.stdout
    log = (copy.path / f"results/smoke/logs/certify_lattices/{name}.log").read_text()
    assert "CERTIFICATE FAILED" in log
    assert "energy, β = 0.4352: statistic" in log
    assert json.loads(log[: log.index("CERTIFICATE FAILED")])["passed"] is False

    path.unlink()
    certificate = f"results/smoke/certificates/{name}.json"
    mended = copy.smoke(certificate)
    assert mended.returncode == 0, mended.stdout
    for made in (certificate, f"results/smoke/lattices/{name}.nc"):
        assert (copy.path / made).read_bytes() == (smoke_run.path / made).read_bytes()


def test_a_remade_certificate_trains_nothing(smoke_run, tmp_path):
    copy = dataclasses.replace(smoke_run, path=tmp_path / "copy")
    shutil.copytree(smoke_run.path, copy.path)
    stage = copy.path / "workflow/stages/lattices/certify_lattices.py"
    stage.write_text(stage.read_text() + "\nCHANGED = True\n")
    outputs = planned(copy, "members: 2", tmp_path)
    assert "results/smoke/certificates/local_entropy.json" in outputs
    assert not [path for path in outputs if "/nets/" in path or "/lattices/" in path]


def test_the_same_seed_gives_the_same_tables_and_another_seed_other_ones(smoke_run, checkout):
    again = checkout.smoke("results")
    assert again.returncode == 0, again.stdout
    assert checkout.tables() == smoke_run.tables()

    other = checkout.smoke("results", "--config", "seed=1", "results_dir=results/other")
    assert other.returncode == 0, other.stdout
    tables, others = checkout.tables(), checkout.tables("results/other")
    for name in ("model_losses.csv", "local_entropy.csv", "thermometer.csv", "beta_flow.csv"):
        assert tables[name] != others[name]

    # within error: at each beta, the local entropy of the input lattices
    def entropies(results):
        with (checkout.path / results / "tables/local_entropy.csv").open() as file:
            return [r for r in csv.DictReader(file) if r["lattices"] == "input"]

    scores = [
        (float(a["entropy_bits"]) - float(b["entropy_bits"]))
        / (float(a["std_error"]) ** 2 + float(b["std_error"]) ** 2) ** 0.5
        for a, b in zip(entropies("results/smoke"), entropies("results/other"), strict=True)
    ]
    assert max(abs(score) for score in scores) < 5
    assert sum(score**2 for score in scores) > 0


def test_majority_map_and_tanh_run_through(checkout):
    run = checkout.smoke(
        "results/smoke/tables/model_losses.csv",
        "--config", "nets={map: majority, activation: tanh, loss: squared_hinge}", "members=2",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    losses = {(r["model"], r["split"]): r for r in rows(checkout, "model_losses")}
    assert float(losses["Model-3-HCG", "test"]["spin_accuracy"]) > 0.5


def test_sizes_of_the_nets_follow_from_L(checkout, tmp_path):
    outputs = planned(checkout, "L: 12", tmp_path)
    assert "results/smoke/nets/CG-144-72/member-0.safetensors" in outputs


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("L: 7", "L is 7"),
        ("nets: {loss: hing}", "nets.loss is 'hing'"),
        ("lattices: {critical: {bta: 0.4}}", "did you mean lattices.critical.beta?"),
        ("members: 1", "members is 1"),
        ("device: cuda", "device is 'cuda'"),
    ],
)
def test_a_bad_config_stops_before_the_first_job_and_loses_nothing(
    smoke_run, tmp_path, settings, sentence
):
    before = smoke_run.tables()
    bad = tmp_path / "bad.yaml"
    bad.write_text(settings)
    run = smoke_run.smoke(changes=[bad])
    assert run.returncode != 0
    assert sentence in run.stdout
    assert "Traceback" not in run.stdout
    assert smoke_run.tables() == before


@pytest.mark.parametrize("damage", ["truncated", "foreign"])
@pytest.mark.parametrize(
    ("victim", "target"),
    [
        ("lattices/local_entropy.nc", "tables/local_entropy.csv"),
        ("nets/AE-WR/member-0.safetensors", "tables/local_entropy.csv"),
    ],
)
def test_a_damaged_file_is_made_again_and_a_stage_alone_names_it(
    smoke_run, tmp_path, damage, victim, target
):
    copy = dataclasses.replace(smoke_run, path=tmp_path / "copy")
    shutil.copytree(smoke_run.path, copy.path)
    path = copy.path / "results/smoke" / victim
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"not mine\n" * 50)
    given = json.loads((copy.path / f"results/smoke/{target}.prov.json").read_text())
    options = [
        word
        for option, files in given["inputs"].items()
        for word in (f"--{option.replace('_', '-')}", *(each["file"] for each in files))
    ]
    alone = subprocess.run(
        [sys.executable, "-m", given["stage"], *options, "--table", "table.csv",
         "--spec", json.dumps(given["spec"])],
        cwd=copy.path, env={**os.environ, "PYTHONPATH": str(copy.path / "workflow")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert alone.returncode == 1
    assert victim in alone.stderr
    assert "delete it" in alone.stderr
    assert not (copy.path / "table.csv").exists()
    run = copy.smoke(f"results/smoke/{target}")
    assert run.returncode == 0, run.stdout
    assert path.read_bytes() == content
    assert copy.tables() == smoke_run.tables()


def test_stages_explain_themselves(smoke_run):
    for stage in stages(smoke_run.path):
        shown = subprocess.run(
            [sys.executable, "-m", stage, "--help"],
            cwd=smoke_run.path / "workflow",
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "usage: python -m stages." in shown
        assert "read" in shown or "written" in shown
