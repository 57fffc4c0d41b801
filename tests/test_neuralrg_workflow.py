"""Study C in the real Snakefile: the smoke preset, added to a finished run of study A."""

import csv

import pytest

from coarsegrain.flows.storage import read_flow
from pipeline.studies.neuralrg import FLOWS, NeuralRG

pytestmark = pytest.mark.slow

RESULTS = "results/smoke"
LABELS = "L,T,flow,member"
TABLES = {
    "neuralrg_gaps": (
        f"{LABELS},gap_nats,gap_error,forward_kl_nats,forward_kl_error,ess,ess_of_exact,"
        "largest_weight,uncovered,uncovered_error,ln_z,m2_q,m2_q_error,m2_exact,m2_exact_error,"
        "m2_ratio,samples,lattices,collapsed,why"
    ),
    "neuralrg_observables": (
        f"{LABELS},observable,mean,mean_error,weighted,weighted_error,sampled,sampled_error,exact"
    ),
    "neuralrg_information": (
        f"{LABELS},scale,variables,distance,information_nats,information_error,null_nats,"
        "null_error,pairs,samples"
    ),
    "neuralrg_total_correlation": (
        f"{LABELS},variables,total_nats,total_error,upper_limit,samples"
    ),
    "neuralrg_coverage": f"{LABELS},low,high,of_p,of_q",
    "neuralrg_training": ("flow,member,step,learning_rate,samples,gap_nats,gap_error,spread_nats"),
    "neuralrg_gaussian": "L,T,symmetric,gap_nats",
    "neuralrg_samplers": (
        f"{LABELS},method,m2,m2_error,acceptance,tau_int_half_plus_sum,tau_int_error,"
        "evaluations_per_step,evaluations_per_independent,evaluations_error,step_size,chains,steps"
    ),
    "neuralrg_scales": (
        f"{LABELS},scale,sites,energy_p_nats,energy_p_error,energy_p_spread,energy_q_nats,"
        "energy_q_error,energy_q_spread,difference_nats,difference_error,kl_at_most_nats,"
        "kl_at_most_error,free_nats,free_error,beyond_free_nats,beyond_free_error,"
        "beyond_two_signs_nats,beyond_two_signs_error,samples"
    ),
    "neuralrg_couplings": f"{LABELS},scale,operator,coupling_nats,coupling_error,r2,r2_quadratic",
    "neuralrg_patterns": f"{LABELS},scale,row,column,gradient,gradient_error,whitening,samples",
    "neuralrg_exponents": (
        "flow,member,map,L,step,couplings,y_T,y_T_error,y_H,y_H_error,matching,matching_error,"
        "lattices,verdict,why"
    ),
    "neuralrg_examples": f"{LABELS},scale,row,column,field",
}
#: Lattices of the smoke preset are too small for a step of it.
EMPTY = {"neuralrg_exponents"}


@pytest.fixture(scope="module")
def run(recorded_run_of_all, tmp_path_factory):
    """Study C in the finished run of all studies; for tests that leave it as it is."""
    return recorded_run_of_all[0].copied(tmp_path_factory.mktemp("neuralrg") / "run")


def rows(run, table):
    with (run.path / RESULTS / f"tables/{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_table_that_the_study_lists_is_here_with_its_columns(run):
    assert NeuralRG.tables.keys() == TABLES.keys()
    for table, columns in TABLES.items():
        text = (run.path / RESULTS / f"tables/{table}.csv").read_text()
        assert text.splitlines()[0] == columns
        assert (len(text.splitlines()) > 1) == (table not in EMPTY)


@pytest.mark.parametrize("figure", [each.name for each in NeuralRG.figures])
def test_every_figure_is_there_and_in_the_report(run, figure):
    folder = run.path / RESULTS
    assert (folder / f"figures/{figure}.pdf").read_bytes().startswith(b"%PDF")
    assert f"{figure}.png" in (folder / "report.html").read_text()


def test_every_flow_is_trained_twice_and_can_be_read_again(run):
    for name in FLOWS:
        files = [run.path / RESULTS / f"flows/{name}/member-{k}.safetensors" for k in (0, 1)]
        assert files[0].read_bytes() != files[1].read_bytes()
        flow, metadata = read_flow(files[0])
        assert flow.L == 4
        assert float(metadata["beta"]) == 0.4406867935
    labels = {flow.label for flow in FLOWS.values()}
    assert {row["flow"] for row in rows(run, "neuralrg_gaps")} == labels
    assert {row["flow"] for row in rows(run, "neuralrg_training")} == labels


def test_shares_of_ln_p_over_q_add_up_to_one(run):
    found = {}
    for row in rows(run, "neuralrg_coverage"):
        sums = found.setdefault((row["flow"], row["member"]), [0.0, 0.0])
        sums[0] += float(row["of_p"])
        sums[1] += float(row["of_q"])
    assert len(found) == 2 * len(FLOWS)
    assert all(abs(each - 1) < 1e-6 for sums in found.values() for each in sums)


def test_claims_of_the_study_are_judged(run):
    verdicts = {row["id"]: row["verdict"] for row in rows(run, "claims")}
    assert verdicts["C6"] == "not tested"  # at L = 4
    assert {"C1", "C2", "C3", "C4", "C5"} <= verdicts.keys()


def test_one_study_is_a_target_of_its_own(run, all_studies):
    made = run.smoke("neuralrg", changes=[all_studies])
    assert made.returncode == 0
    assert "Nothing to be done" in made.stdout
