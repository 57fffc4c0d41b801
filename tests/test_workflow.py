"""The real Snakefile, run on the smoke preset."""

import csv
import json
import os
import subprocess
import sys

import pytest
import yaml

from checkouts import PROJECT, stages
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.nets.architecture import models, shallow_nets
from coarsegrain.storage.lattices import read_lattices, write_lattices
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.sidecars import sha256, sidecar_path
from pipeline.studies.experiment import Experiment

pytestmark = pytest.mark.slow

TABLES = {
    "model_losses": (
        "model,member,split,code,hinge,penalty,objective,spin_accuracy,objective_all_layers"
    ),
    "amplitudes": "model,member,split,amplitude,hinge,spin_accuracy",
    "loss_floors": (
        "encoder,rank,member,mse,hinge_least_squares,gain,hinge_best_gain,spin_accuracy"
    ),
    "local_entropy": "beta,lattices,boundary,entropy_bits,std_error",
    "thermometer": (
        "beta,beta_predicted,std_error,member,squared_error,squared_error_by_energy,"
        "squared_error_of_constant"
    ),
    "local_order": (
        "beta,lattices,member,C1,C1_error,C1_change,C1_change_error,"
        "islands,islands_error,islands_change,islands_change_error"
    ),
    "exact_thermometers": (
        "beta,lattices,member,beta_E,beta_E_error,beta_R,beta_R_error,change_E,change_R"
    ),
    "weight_maps": "net,member,weights,map,quantity,value",
    "beta_flow": (
        "beta,lattices,autoencoder,thermometer,beta_predicted,std_error,less_input,less_input_error"
    ),
    "beta_fixed_point": "source,beta_star,low,high",
    "model_architectures": "model,layer,inputs,outputs,weights,activation,biases",
    "convergence": "model,member,epochs,fall,ended_by,converged",
    "exact_points": "quantity,value",
    "entropy_gaps": "beta,lattices,image,boundary,member,gap_bits,relative_gap,std_error",
    "claims": (
        "id,paper,where,claim,published,measured,low,high,interval,criterion,control,control_value,verdict,"
        "reason,figure"
    ),
    "certificates": "set,test,beta_min,beta_max,statistic,p_value,score,level,passed",
}
EXPERIMENT = Experiment(
    validated(
        laid_over_defaults(yaml.safe_load((PROJECT / "workflow/presets/smoke.yaml").read_text()))
    )
)
FIGURES = [figure.name for _, _, figure in EXPERIMENT.figures]


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


def test_every_table_that_a_study_lists_has_its_columns_here():
    assert TABLES.keys() == {*EXPERIMENT.tables, "claims"}


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


@pytest.mark.parametrize("targets", [(), ("results",)])
def test_a_second_run_does_nothing_and_says_so(smoke_run, targets):
    run = smoke_run.smoke(*targets)
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout


def test_lattices_are_the_same_bytes_for_any_number_of_shards(smoke_run, warm_checkout, tmp_path):
    sets = ["critical/Model-1/member-0", "wide_range/AE-WR/member-1", "local_entropy"]
    paths = [f"results/smoke/lattices/{name}.nc" for name in sets]
    certificate = "results/smoke/certificates/local_entropy.json"
    changes = tmp_path / "shards.yaml"
    for shards, again in ((3, paths), (7, paths[-1:])):
        changes.write_text(f"lattices: {{shards: {shards}}}")
        for path in again:
            (warm_checkout.path / path).unlink(missing_ok=True)
        run = warm_checkout.smoke(*paths, certificate, changes=[changes])
        assert run.returncode == 0, run.stdout
        assert run.stdout.count(": lattices.sample_shard local_entropy ") == shards
        for path in (*paths, certificate):
            assert (warm_checkout.path / path).read_bytes() == (smoke_run.path / path).read_bytes()
        assert not list((warm_checkout.path / "results").rglob("*.shard-*.nc*"))
    for other in (1, 3):
        changes.write_text(f"lattices: {{shards: {other}}}")
        later = warm_checkout.smoke(*paths, certificate, changes=[changes])
        assert "Nothing to be done" in later.stdout, later.stdout


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


def test_nothing_is_computed_from_lattices_that_fail_their_certificate(smoke_run, copy):
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


def test_another_seed_gives_other_results_within_error(smoke_run, warm_checkout):
    """That the same seed gives the same, other runs show: imported, on a cluster, with conda."""
    compared = [
        *(f"tables/{name}.csv" for name in ("local_entropy", "thermometer", "beta_flow")),
        *(f"nets/{net}/member-0.losses.csv" for net in ("AE-WR", "CG-64-32")),
    ]
    other = warm_checkout.smoke(
        *(f"results/other/{each}" for each in compared),
        "--config", "seed=1", "results_dir=results/other",
    )  # fmt: skip
    assert other.returncode == 0, other.stdout
    ours, theirs = smoke_run.path / "results/smoke", warm_checkout.path / "results/other"
    for each in compared:
        assert (ours / each).read_bytes() != (theirs / each).read_bytes(), each

    # within error: at each beta, the local entropy of the input lattices
    def entropies(results):
        with (results / "tables/local_entropy.csv").open() as file:
            return [r for r in csv.DictReader(file) if r["lattices"] == "input"]

    scores = [
        (float(a["entropy_bits"]) - float(b["entropy_bits"]))
        / (float(a["std_error"]) ** 2 + float(b["std_error"]) ** 2) ** 0.5
        for a, b in zip(entropies(ours), entropies(theirs), strict=True)
    ]
    assert max(abs(score) for score in scores) < 5
    assert sum(score**2 for score in scores) > 0


def test_majority_map_and_tanh_run_through(smoke_run, copy):
    """One member of every model, from the lattices that are there."""
    losses = {f"results/smoke/nets/{model}/member-0.losses.csv" for model in models(8)}
    run = copy.smoke(
        *losses, "--config", "nets={map: majority, activation: tanh, loss: squared_hinge}"
    )
    assert run.returncode == 0, run.stdout
    for each in losses:
        assert (copy.path / each).read_bytes() != (smoke_run.path / each).read_bytes(), each
    with (copy.path / "results/smoke/nets/Model-3-HCG/member-0.losses.csv").open() as file:
        (test,) = (row for row in csv.DictReader(file) if row["split"] == "test")
    assert float(test["spin_accuracy"]) > 0.5


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
    smoke_run, copy, damage, victim, target
):
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
         "--gaps", "gaps.csv", "--spec", json.dumps(given["spec"])],
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
