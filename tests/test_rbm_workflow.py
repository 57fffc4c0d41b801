"""Study B in the real Snakefile: the smoke preset, added to a finished run of study A."""

import csv
import json

import pytest

from coarsegrain.storage.tables import read_table
from pipeline.sidecars import sha256, sidecar_path
from pipeline.studies.machines import MACHINES
from pipeline.studies.maps import CODES, FORMULAS, LEARNED
from pipeline.studies.rbm import BoltzmannMachines

pytestmark = pytest.mark.slow

RESULTS = "results/smoke"
TABLES = {
    "mcrg": "map,L,step,couplings,y_T,y_T_error,y_H,y_H_error,matching,matching_error,lattices",
    "rg_maps": "map,verdict,reason",
    "rbm_ring_flow": "b,source,member,K,K_learned,K_exact,K_error",
    "rbm_ring_lengths": "member,K,xi,std_error,xi_curve,xi_exact",
    "rbm_ring_machine": (
        "machine,member,K,entropy,kl,coupling_deviation,weight_difference,symmetric_deviation"
    ),
    "rbm_convergence": (
        "model,member,updates,gap_nats,gap_error,gain_nats,gain_error,converged,told"
    ),
    "rbm_likelihood": (
        "machine,member,layer,l1,kind,kernel,n_visible,n_hidden,weights,method,ln_z,ln_z_error,ess,"
        "cross_entropy_nats,kl_nats,kl_error,believed,chosen"
    ),
    "rbm_couplings": "machine,member,layer,l1,source,operator,coupling,std_error,spread",
    "rbm_fields": None,
    "rbm_field_units": None,
    "rbm_soft_majority": None,
    "rbm_block_mechanism": (
        "L,beta,machine,W0,kl_nats,kl_error,kl_per_site,kl_per_site_error,entropy_nats,source,"
        "lattices"
    ),
    "rbm_flow": (
        "machine,member,layer,l1,beta_low,beta_high,step,beta_in,beta_E,beta_E_error,beta_R,"
        "beta_R_error,beta_net,beta_net_error"
    ),
    "claims": None,
    "certificates": None,
}


@pytest.fixture(scope="module")
def rbm_run(recorded_run_of_all, tmp_path_factory):
    """Study B, added to the finished run of study A; for tests that leave it as it is."""
    return recorded_run_of_all[0].copied(tmp_path_factory.mktemp("rbm") / "run")


def rows(run, table):
    with (run.path / RESULTS / f"tables/{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_table_that_the_study_lists_is_here_with_its_columns(rbm_run):
    assert {*BoltzmannMachines.tables, "claims", "certificates"} == TABLES.keys()
    for table, columns in TABLES.items():
        text = (rbm_run.path / RESULTS / f"tables/{table}.csv").read_text()
        assert len(text.splitlines()) > 1
        assert columns in (None, text.splitlines()[0])


@pytest.mark.parametrize("figure", [each.name for each in BoltzmannMachines.figures])
def test_every_figure_is_there_and_in_the_report(rbm_run, figure):
    folder = rbm_run.path / RESULTS
    assert (folder / f"figures/{figure}.pdf").read_bytes().startswith(b"%PDF")
    assert f"{figure}.png" in (folder / "report.html").read_text()


def test_all_machines_and_maps_are_there(rbm_run):
    folder = rbm_run.path / RESULTS / "machines"
    trained = {path.parent.name for path in folder.rglob("member-*.safetensors")}
    assert trained == MACHINES.keys()
    labels = {each["map"] for each in FORMULAS.values()}
    labels |= {label for label, *_ in [*LEARNED.values(), *CODES.values()]}
    assert {row["map"] for row in rows(rbm_run, "mcrg")} == labels
    assert {row["map"] for row in rows(rbm_run, "rg_maps")} == labels


def test_members_differ_and_each_has_lattices_of_its_own(rbm_run):
    folder = rbm_run.path / RESULTS / "machines"
    for machine in MACHINES.keys() - {"free-hot"}:  # on noise all weights may be 0
        first, second = (folder / machine / f"member-{k}.safetensors" for k in (0, 1))
        assert first.read_bytes() != second.read_bytes()


def test_every_output_has_a_sidecar_that_matches_it(rbm_run):
    made = [
        path
        for folder in ("machines", "exponents", "tables", "figures")
        for path in (rbm_run.path / RESULTS / folder).rglob("*.*")
        if path.is_file() and not path.name.endswith(".prov.json")
    ]
    assert len(made) > 100
    for path in made:
        assert json.loads(sidecar_path(path).read_text())["sha256"] == sha256(path), path


def test_a_study_that_is_added_makes_nothing_again(rbm_run, smoke_run):
    for folder in ("nets", "lattices"):
        for path in (smoke_run.path / RESULTS / folder).rglob("*.*"):
            there = rbm_run.path / path.relative_to(smoke_run.path)
            assert there.stat().st_mtime_ns == path.stat().st_mtime_ns, path


def test_claims_are_of_all_studies(rbm_run):
    claims = read_table(rbm_run.path / RESULTS / "tables/claims.csv")
    assert set(claims["id"].str[0]) == {"A", "B", "C"}
    assert set(claims["verdict"]) <= {
        "reproduced", "not reproduced", "depends", "undecided", "not tested",
    }  # fmt: skip


def test_a_second_run_does_nothing(rbm_run, all_studies):
    run = rbm_run.smoke(changes=[all_studies])
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout


def test_an_added_l1_makes_the_penalised_machines_alone(rbm_run, all_studies, tmp_path):
    changes = tmp_path / "sweep.yaml"
    changes.write_text("sweeps: {penalty: {rbm.l1: [0.05]}}\n")
    run = rbm_run.smoke("variants", "--summary", changes=[all_studies, changes])
    assert run.returncode == 0, run.stdout
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    machines = {
        line[0].split("/machines/")[1].split("/")[0]
        for line in lines
        if line[-1] == "update pending" and line[0].endswith(".safetensors")
    }
    assert machines == {"free", "free-hot", "free-blocks"}


def test_one_study_is_a_target_of_its_own(rbm_run, all_studies):
    run = rbm_run.smoke("rbm", changes=[all_studies])
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout
