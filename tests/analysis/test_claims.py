"""Verdicts: every rule with a table that gives it and a change that takes it away."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from coarsegrain.analysis.claims import COLUMNS, verdicts
from coarsegrain.analysis.claims_file import read_claims
from coarsegrain.analysis.claims_text import WIDTH, claims_text, measured
from coarsegrain.analysis.criterion import ClaimError

AUTOENCODER = Path(__file__).parents[2] / "workflow/claims/autoencoder.yaml"
JUDGED = {
    "A1", "A2", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16",
    "A20", "A21", "A22", "A23", "A24", "A25", "A26", "A27", "A28", "A29", "A30", "A31", "A32",
    "A33", "A34", "A36", "A40",
}  # fmt: skip
# by sweeps: tests/analysis/test_claims_of_sweeps.py
SWEPT = {"A3", "A17", "A18", "A19", "A35", "A37", "A38", "A39"}
FILE = {
    "paper": "Somebody 2000",
    "study": "A",
    "readings": {
        "losses": {
            "hinge": {"column": "hinge"},
            "objective": {"column": "objective"},
            "frozen": {"column": "objective_all_layers"},
        }
    },
    "claims": [
        {
            "id": "A1",
            "where": "III",
            "claim": "B loses more than A",
            "published": 0.1,
            "statistic": {
                "table": "losses",
                "unit": "member",
                "difference_of": [{"model": "B"}, {"model": "A"}],
            },
            "readings": ["losses"],
            "criterion": {"above": 0},
            "control": {
                "what": "so does C",
                "difference_of": [{"model": "C"}, {"model": "A"}],
                "criterion": {"above": 0.05},
            },
            "rests_on": ["A", "B"],
            "figure": "losses",
        }
    ],
}


def changed(**changes):
    """The file with changes in its claim; None removes a key."""
    file = copy.deepcopy(FILE)
    claim = file["claims"][0] | changes
    file["claims"] = [{key: value for key, value in claim.items() if value is not None}]
    return file


def losses(members=3, spread=0.01, **means):
    """Losses around the means of A, B and C; ``objective_B`` and so on change one reading."""
    means = {"A": 0.2, "B": 0.3, "C": 0.2} | means
    rows = [
        {
            "model": model,
            "member": member,
            **{
                column: means.get(f"{column}_{model}", means[model])
                + (model != "A") * spread * (member - (members - 1) / 2)
                for column in ("hinge", "objective", "objective_all_layers")
            },
        }
        for model in "ABC"
        for member in range(members)
    ]
    return pd.DataFrame(rows)


def convergence(**falls):
    falls = {"A": 0.001, "B": 0.001} | falls
    return pd.DataFrame(
        [(model, k, fall, fall < 0.01) for model, fall in falls.items() for k in range(3)],
        columns=["model", "member", "fall", "converged"],
    )


@pytest.fixture
def judged(tmp_path):
    def judge(file=FILE, table=None, rest=None):
        path = tmp_path / "claims.yaml"
        path.write_text(yaml.safe_dump(file, allow_unicode=True, sort_keys=False))
        tables = {
            "losses": losses() if table is None else table,
            "convergence": convergence() if rest is None else rest,
        }
        (row,) = verdicts(read_claims(path), tables).to_dict("records")
        return row

    return judge


def test_a_claim_that_holds_in_all_readings_is_reproduced(judged):
    row = judged()
    assert row["verdict"] == "reproduced"
    assert row["measured"] == pytest.approx(0.1)
    assert row["low"] == pytest.approx(0.1 - 4.302653 * 0.01 / np.sqrt(3))
    assert (row["criterion"], row["control"], row["figure"]) == (
        "above 0", "so does C: above 0.05", "losses",
    )  # fmt: skip
    assert row["control_value"] == pytest.approx(0)
    assert list(row) == list(COLUMNS)


def test_a_claim_that_fails_in_all_readings_is_not_reproduced(judged):
    assert judged(table=losses(B=0.1))["verdict"] == "not reproduced"


def test_another_criterion_gives_another_verdict_on_the_same_table(judged):
    assert judged(changed(criterion={"above": 0.2}))["verdict"] == "not reproduced"
    assert judged(changed(criterion={"between": [0.09, 0.11]}))["verdict"] == "undecided"
    assert judged(changed(criterion={"within": 0.03, "of": 0.1}))["verdict"] == "reproduced"


def test_an_interval_that_contains_the_edge_leaves_a_claim_undecided(judged):
    row = judged(table=losses(spread=0.1))
    assert row["verdict"] == "undecided"
    assert row["low"] < 0 < row["high"]
    assert "contains the criterion's edge" in row["reason"]


@pytest.mark.parametrize("column", ["objective", "objective_all_layers"])
def test_readings_that_disagree_make_a_claim_depend(judged, column):
    row = judged(table=losses(**{f"{column}_B": 0.1}))
    assert row["verdict"] == "depends"
    assert "on the reading" in row["reason"]
    assert "hinge: 0.1 [0.07516, 0.1248] (holds)" in row["reason"]
    assert "(fails)" in row["reason"]


def test_a_reading_that_cannot_be_told_leaves_a_claim_undecided(judged):
    assert judged(table=losses(objective_B=0.21))["verdict"] == "undecided"


def test_a_control_that_shows_the_same_makes_a_claim_depend(judged):
    row = judged(table=losses(C=0.3))
    assert row["verdict"] == "depends"
    assert "the control shows the same: hinge, so does C: 0.1" in row["reason"]


def test_a_control_that_shows_it_in_one_reading_is_enough(judged):
    assert judged(table=losses(objective_C=0.3))["verdict"] == "depends"


def test_a_control_that_cannot_be_told_leaves_a_claim_undecided(judged):
    row = judged(table=losses(C=0.25))
    assert row["verdict"] == "undecided"
    assert "whether the control shows the same cannot be told" in row["reason"]


def test_a_control_changes_no_claim_that_fails(judged):
    assert judged(table=losses(B=0.1, C=0.3))["verdict"] == "not reproduced"


@pytest.mark.parametrize(("b", "as_it_stands"), [(0.3, "reproduced"), (0.1, "not reproduced")])
def test_a_training_that_has_not_converged_leaves_a_claim_undecided(judged, b, as_it_stands):
    row = judged(table=losses(B=b), rest=convergence(B=0.02))
    assert row["verdict"] == "undecided"
    assert f"B (2 %); as it stands: {as_it_stands}" in row["reason"]


def test_a_claim_that_depends_is_undecided_too_until_trainings_have_converged(judged):
    assert judged(table=losses(C=0.3), rest=convergence(A=0.5))["verdict"] == "undecided"


def test_one_member_that_has_not_converged_is_enough(judged):
    rest = convergence()
    rest.loc[1, ["fall", "converged"]] = [0.015, False]
    assert "A (1.5 %)" in judged(rest=rest)["reason"]


def test_a_training_that_a_claim_does_not_rest_on_may_be_unfinished(judged):
    assert judged(rest=convergence(C=0.5))["verdict"] == "reproduced"


def test_a_training_of_too_few_epochs_has_not_converged(judged):
    assert "A (too few epochs)" in judged(rest=convergence(A=np.nan))["reason"]


def test_one_member_gives_no_verdict(judged):
    row = judged(table=losses(members=1))
    assert (row["verdict"], row["reason"]) == (
        "not tested", "one member has no spread, so there is no error",
    )  # fmt: skip
    assert np.isnan(row["measured"])


def test_a_table_without_the_rows_gives_no_verdict(judged):
    table = losses()
    row = judged(table=table[table["model"] != "B"])
    assert row["verdict"] == "not tested"
    assert row["reason"] == "losses has no rows with model B"


def test_all_parts_must_hold(judged):
    parts = {
        "large": {"criterion": {"above": 0.05}, "published": "large"},
        "not too large": {"criterion": {"below": 0.2}, "published": 0.15},
    }
    file = changed(criterion=None, parts=parts)
    assert judged(file)["verdict"] == "reproduced"
    row = judged(file, losses(B=0.5))
    assert row["verdict"] == "not reproduced"
    # the part that decides is the one shown
    assert (row["published"], row["criterion"]) == (0.15, "not too large: below 0.2")


def test_a_number_that_no_member_has_refutes_and_one_that_some_lack_is_undecided(judged):
    table = losses()
    table.loc[table["model"] == "B", ["hinge", "objective", "objective_all_layers"]] = np.nan
    assert judged(table=table)["verdict"] == "not reproduced"
    table = losses()
    table.loc[(table["model"] == "B") & (table["member"] == 0), "hinge"] = np.nan
    row = judged(table=table)
    assert row["verdict"] == "undecided"
    assert "1 of 3 have no hinge" in row["reason"]
    assert row["reason"].startswith("a number is missing: ")


WITHOUT_UNIT = {
    key: value for key, value in FILE["claims"][0]["statistic"].items() if key != "unit"
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"control": None}, "claim A1: it has no control"),
        ({"control": "words"}, "claim A1: its control is only words"),
        ({"control": {"what": "C"}}, "claim A1: its control has no criterion"),
        ({"criterion": None}, "claim A1: it has no criterion"),
        ({"criterion": {"about": 1}}, "claim A1: its criterion .* is none of"),
        ({"parts": {"x": {}}, "criterion": None}, "claim A1: its part x has no criterion"),
        ({"statistic": WITHOUT_UNIT}, "claim A1: its statistic has no source of error"),
        ({"statistic": None}, "claim A1: it has no statistic"),
        ({"readings": None, "statistic": FILE["claims"][0]["statistic"] | {"column": "hinge"}},
         "claim A1: it is about a loss, which may mean three things"),
        ({"readings": ["gains"]}, "claim A1: there is no set of readings gains"),
        ({"where": None}, "claim A1: it has no where"),
        ({"id": "B1"}, "claim B1: its id does not begin with the study's letter A"),
        ({"verdict": "reproduced"}, "claim A1: it has verdict, which is none of"),
        ({"not_tested": "later"}, "claim A1: it has statistic and says in not_tested"),
        ({"parts": [1], "criterion": None}, "claim A1 is not written as it should"),
        ({"parts": {}, "criterion": None}, "claim A1: it has no parts"),
        ({"rests_on": "AE-WR"}, "claim A1: its rests_on is 'AE-WR'; write a list"),
        ({"rests_on": None}, "claim A1: it counts members of nets; name the nets in rests_on"),
        ({"not_tested": "later", "statistic": None}, "claim A1: it has criterion and says"),
        ({"statistic": FILE["claims"][0]["statistic"] | {"difference_of": {"model": "B"}}},
         "claim A1: its statistic's difference_of takes two selections"),
        ({"statistic": FILE["claims"][0]["statistic"] | {"difference_of": [{"model": 1}, {}]}},
         "claim A1: column model of losses holds text"),
        ({"statistic": FILE["claims"][0]["statistic"]
          | {"difference_of": [{"model": {"at_least": 1}}, {}]}},
         "claim A1: column model of losses holds text"),
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_judged_is_refused_by_name(judged, changes, words):
    with pytest.raises(ClaimError, match=words):
        judged(changed(**changes))


@pytest.mark.parametrize("claims", [None, [], {"id": "A1"}, "A1"])
def test_a_file_without_a_list_of_claims_is_refused(judged, claims):
    with pytest.raises(ClaimError, match="its claims are no list, or an empty one"):
        judged(FILE | {"claims": claims})


def test_a_difference_of_which_one_side_has_no_members_is_refused_by_name(judged):
    table = losses()
    table.loc[table["model"] == "B", "member"] = np.nan
    table = table.drop_duplicates(["model", "member"])
    with pytest.raises(ClaimError, match="claim A1: only one of the two selections"):
        judged(table=table)


def test_a_claim_listed_twice_is_refused_by_name(judged):
    with pytest.raises(ClaimError, match="lists claim A1 more than once"):
        judged(FILE | {"claims": FILE["claims"] * 2})


def test_a_file_that_is_no_file_of_claims_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    with pytest.raises(ClaimError, match=r"claims\.yaml cannot be read"):
        read_claims(path)
    path.write_text("claims: [")
    with pytest.raises(ClaimError, match="cannot be read as a file of claims"):
        read_claims(path)
    path.write_text("claims: []")
    with pytest.raises(ClaimError, match="it needs paper, study and claims"):
        read_claims(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rests_on": ["D"]}, "claim A1: it rests on D, which table convergence does not have"),
        ({"statistic": {"table": "gains", "unit": "member"}}, "claim A1: there is no table gains"),
    ],
)
def test_a_claim_that_asks_for_what_no_table_has_is_named(judged, changes, words):
    with pytest.raises(ClaimError, match=words):
        judged(changed(**changes))


# The shipped claims ------------------------------------------------------------------------------


def test_every_claim_of_paper_A_is_listed_once_in_the_papers_order():
    assert [claim.id for claim in read_claims(AUTOENCODER)] == [f"A{k}" for k in range(1, 42)]


def test_those_that_are_not_tested_say_why():
    for claim in read_claims(AUTOENCODER):
        assert bool(claim.not_tested) == (claim.id not in JUDGED | SWEPT), claim.id


# What the paper says of weights, by net, weights, map and quantity.
WEIGHTS = {
    ("CG", "trained", "W1", "inputs_per_unit"): 1.1,
    ("CG", "trained", "W2", "inputs_per_unit"): 1.1,
    ("Model-1", "trained", "W1", "inputs_per_unit"): 400,
    ("Model-1", "trained", "W1", "share_of_inputs"): 0.4,
    ("Model-1", "trained", "W1W2", "share_of_inputs"): 0.3,
    ("Model-1", "untrained", "W1", "share_of_inputs"): 0.05,
    ("Model-1", "untrained", "W1W2", "share_of_inputs"): 0.05,
    ("CG", "trained", "W1", "cosine_with_map"): 0.999,
    ("CG", "trained", "W2", "cosine_with_map"): 0.999,
    ("Model-1", "trained", "W1W2", "cosine_with_map"): 0.2,
    # the paper's peak on the diagonal and its lines beside it are of different matrices here
    ("CG", "trained", "W1", "off_diagonal"): 0.05,
    ("CG", "trained", "W1W2", "off_diagonal"): 0.05,
    ("Model-1", "trained", "W1", "off_diagonal"): 0.05,
    ("Model-1", "trained", "W1W2", "off_diagonal"): 0.05,
    ("Model-1", "untrained", "W1", "off_diagonal"): 0.2,
    ("Model-1", "untrained", "W1W2", "off_diagonal"): 0.2,
    ("CG", "trained", "W1W2", "neighbouring_sites"): 0.2,
    ("CG", "trained", "W1W2", "neighbouring_units"): 0.2,
    ("Model-1", "trained", "W1W2", "neighbouring_sites"): 0.1,
    ("Model-1", "trained", "W1W2", "neighbouring_units"): 0.1,
    ("Model-1", "untrained", "W1W2", "neighbouring_sites"): 0.3,
    ("Model-1", "untrained", "W1W2", "neighbouring_units"): 0.3,
    **{
        (net, kind, *of): value
        for of in (("W1", "at_offset_L"), ("W1", "at_offset_half_L"), ("W2", "at_offset_half_L"),
                   ("W1W2", "at_offset_L"))
        for net, kind, value in (("CG", "trained", 0.3), ("Model-1", "trained", 0.1),
                                 ("HCG", "hard-coded", 0.0))
    },
}  # fmt: skip


def weight_maps(members, rng):
    columns = ["net", "weights", "map", "quantity", "member", "value"]
    rows = [
        (*key, k, value and value * (1 + 1e-3 * rng.normal()))
        for key, value in WEIGHTS.items()
        for k in ([np.nan] if key[0] == "HCG" else range(members))
    ]
    return pd.DataFrame(rows, columns=columns)


# By lattices: change of the correlation of neighbours and of the share of islands.
LOCAL_ORDER = {
    "autoencoder_sign": (0.2, -0.02),
    "majority filter": (0.0, 0.01),  # one that removed noise would explain it
    "decimated": (-0.2, 0.02),
    "two sites apart": (0.1, np.nan),
}


def local_order(members, rng):
    betas = np.linspace(0.025, 0.5, 20)
    return pd.concat(
        pd.DataFrame(
            {"beta": betas, "lattices": kind, "member": k, "C1_change_error": 1e-3,
             "C1_change": bonds + 1e-4 * rng.normal(size=20), "islands_change_error": 1e-3,
             "islands_change": islands + 1e-4 * rng.normal(size=20)}
        )
        for kind, (bonds, islands) in LOCAL_ORDER.items()
        for k in (range(members) if kind == "autoencoder_sign" else (np.nan,))
    )  # fmt: skip


def exact_thermometers(betas, members, rng):
    away = 0.5 * (betas - 0.44)
    change = {"input": 0 * betas, "decimated": away, "autoencoder_sign": -away}
    return pd.concat(
        pd.DataFrame(
            {"beta": betas, "lattices": kind, "member": k, "beta_E_error": 1e-4,
             "change_E": moved + 1e-5 * rng.normal(size=len(betas)), "beta_R_error": 1e-4,
             "change_R": moved + 1e-5 * rng.normal(size=len(betas))}
        )
        for kind, moved in change.items()
        for k in (range(members) if kind == "autoencoder_sign" else (np.nan,))
    )  # fmt: skip


def run(seed=7, members=3, **levels):
    """Tables as a run writes them, with what the paper claims in them (see ``levels``)."""
    rng = np.random.default_rng(seed)
    levels = {"Model-1": 0.276, "Model-2": 0.338, "Model-2-CG": 0.338, "Model-3": 0.6,
              "Model-3-HCG": 0.6, "AE-WR": 0.347, "CG-1024-512": 0.0, "CG-512-256": 0.0,
              "UP-256-512": 0.2, "UP-512-1024": 0.2} | levels  # fmt: skip
    rows = []
    for model, level in levels.items():
        for member in range(members):
            for split, more in (("train", 0), ("validation", 0.002), ("test", 0.002)):
                hinge = level and level + (0.01 if model == "AE-WR" and more else more)
                hinge = hinge and hinge + 1e-4 * rng.normal()
                rows.append((model, member, split, hinge, hinge, 1 - hinge / 2.5, hinge))
    names = ["model", "member", "split", "hinge", "objective", "spin_accuracy"]
    losses = pd.DataFrame(rows, columns=[*names, "objective_all_layers"])
    outputs = losses[losses["split"] == "test"]
    amplitudes = [
        outputs[["model", "member", "split", "hinge", "spin_accuracy"]].assign(amplitude=name)
        for name in ("as it comes", "clipped", "rms 1", "best gain", "signs")
    ]
    codes = {"one mode": 0.6, "principal components": 0.15, "decimation": 0.3, "random sites": 0.4,
             "random linear": 0.25}  # fmt: skip
    floors = [
        (encoder, member, *(level + 1e-4 * rng.normal(size=3)))
        for encoder, level in codes.items()
        for member in range(members)
    ]

    betas = np.linspace(0.025, 0.5, 20)
    gaps = []
    for boundary in ("crop", "periodic"):
        for k in (*range(members), np.nan):
            of_net = np.isfinite(k)
            gap = -0.2 * (betas < 0.44) if of_net else 0.05 * (betas > 0.44)
            gap = gap + 1e-4 * rng.normal(size=20)
            for image in ("sign", "rescale") if of_net and boundary == "crop" else ("sign",):
                gaps.append(
                    pd.DataFrame(
                        {"beta": betas, "lattices": "autoencoder" if of_net else "decimated",
                         "image": image, "boundary": boundary, "member": k, "gap_bits": gap,
                         "relative_gap": gap, "std_error": 1e-3}
                    )
                )  # fmt: skip

    betas = np.linspace(0.02, 0.59, 40)
    reading = {"input": betas, "autoencoder": 0.45265 + 0.7 * (betas - 0.45265)}
    reading["autoencoder_sign"] = reading["autoencoder"]
    flow = pd.concat(
        pd.DataFrame({"beta": betas, "lattices": kind, "autoencoder": k, "thermometer": j,
                      "beta_predicted": read + (1e-3 * rng.normal(size=40)), "std_error": 1e-3})
        for kind, read in reading.items()
        for k in (range(members) if kind != "input" else [np.nan])
        for j in range(members)
    )  # fmt: skip
    thermometer = (
        flow[flow["lattices"] == "input"]
        .drop(columns="autoencoder")
        .rename(columns={"thermometer": "member"})
        .assign(squared_error=0.0035, squared_error_of_constant=0.03)
    )
    flow.loc[flow["lattices"] == "input", "beta_predicted"] -= 0.001
    exact = {"critical_beta": 0.4406868, "beta_of_largest_heat_capacity": 0.43593,
             "fixed_point_of_eq5": 0.50698, "slope_of_eq5_at_fixed_point": 1.449}  # fmt: skip
    rests = [*levels, "thermometer"]
    return {
        "model_losses": losses,
        "amplitudes": pd.concat(amplitudes, ignore_index=True),
        "loss_floors": pd.DataFrame(
            floors, columns=["encoder", "member", "mse", "hinge_least_squares", "hinge_best_gain"]
        ),
        "entropy_gaps": pd.concat(gaps, ignore_index=True),
        "weight_maps": weight_maps(members, rng),
        "local_order": local_order(members, rng),
        "exact_thermometers": exact_thermometers(betas, members, rng),
        "beta_flow": flow,
        "thermometer": thermometer,
        "exact_points": pd.DataFrame({"quantity": exact.keys(), "value": exact.values()}),
        "convergence": pd.DataFrame({"model": rests, "member": 0, "fall": 0.0, "converged": True}),
    }


@pytest.fixture(scope="module")
def as_published():
    return verdicts(read_claims(AUTOENCODER), run()).set_index("id")


@pytest.mark.parametrize("claim", sorted(JUDGED - {"A7", "A33", "A34", "A40"}))
def test_a_run_that_came_out_as_published_reproduces_the_claim(as_published, claim):
    assert as_published.loc[claim, "verdict"] == "reproduced", as_published.loc[claim, "reason"]


def test_a_critical_beta_depends_on_what_is_critical(as_published):
    assert as_published.loc["A40", "verdict"] == "depends"


CONTRARY = {
    "A1": ({"Model-2": 0.2, "Model-2-CG": 0.2}, "not reproduced"),
    "A2": ({"Model-3": 0.2}, "not reproduced"),
    "A4": ({"Model-2": 0.6}, "not reproduced"),
    "A5": ({"Model-3": 0.35, "Model-3-HCG": 0.35}, "not reproduced"),
    "A8": ({"Model-3": 0.3}, "not reproduced"),
    "A10": ({"CG-512-256": 0.1}, "not reproduced"),
    "A26": ({"AE-WR": 0.5}, "not reproduced"),
}


@pytest.mark.parametrize("claim", CONTRARY)
def test_a_run_that_came_out_otherwise_does_not(claim):
    levels, verdict = CONTRARY[claim]
    table = verdicts(read_claims(AUTOENCODER), run(**levels)).set_index("id")
    assert table.loc[claim, "verdict"] == verdict, table.loc[claim, "reason"]


def with_weights(value, **of):
    """The verdicts of a run whose weights have another number."""
    tables = run()
    table = tables["weight_maps"]
    rows = np.all([table[column] == wanted for column, wanted in of.items()], axis=0)
    assert rows.any()
    table.loc[rows, "value"] = value + 1e-4 * np.arange(rows.sum())
    return verdicts(read_claims(AUTOENCODER), tables).set_index("id")["verdict"]


@pytest.mark.parametrize(
    ("claim", "of", "value"),
    [
        ("A11", {"net": "CG", "map": "W2", "quantity": "inputs_per_unit"}, 300),
        ("A12", {"weights": "trained", "quantity": "share_of_inputs"}, 0.01),
        ("A13", {"net": "CG", "map": "W1", "quantity": "cosine_with_map"}, 0.9),
        ("A14", {"net": "Model-1", "weights": "trained", "quantity": "off_diagonal"}, 0.5),
        ("A15", {"net": "CG"}, 1e-5),
        ("A16", {"net": "Model-1", "weights": "trained"}, 0.4),
    ],
)
def test_weights_that_came_out_otherwise_refute_the_claim(claim, of, value):
    assert with_weights(value, **of)[claim] == "not reproduced"


@pytest.mark.parametrize(
    ("claim", "of", "value"),
    [
        ("A12", {"map": "W1", "weights": "trained", "quantity": "share_of_inputs"}, 0.01),
        ("A15", {"net": "CG", "map": "W2", "quantity": "at_offset_half_L"}, 1e-5),
        ("A16", {"net": "CG", "quantity": "neighbouring_units"}, 0.01),
    ],
)
def test_readings_of_weights_that_disagree_make_the_claim_depend(claim, of, value):
    assert with_weights(value, **of)[claim] == "depends"


@pytest.mark.parametrize(
    ("claim", "of", "value"),
    [
        ("A11", {"net": "Model-1", "quantity": "inputs_per_unit"}, 1.2),
        ("A12", {"weights": "untrained", "quantity": "share_of_inputs"}, 0.333),
        ("A13", {"net": "Model-1", "quantity": "cosine_with_map"}, 0.995),
        ("A14", {"weights": "untrained", "quantity": "off_diagonal"}, 0.01),
        ("A15", {"net": "HCG"}, 0.5),
        ("A16", {"weights": "untrained"}, 0.01),
    ],
)
def test_controls_that_show_the_same_make_claims_about_weights_depend(claim, of, value):
    assert with_weights(value, **of)[claim] == "depends"


def test_a_map_that_a_net_does_not_have_is_not_tested():
    tables = run()
    table = tables["weight_maps"]
    without = table[(table["net"] != "Model-1") | (table["map"] != "W2")]
    found = verdicts(read_claims(AUTOENCODER), {**tables, "weight_maps": without}).set_index("id")
    assert found.loc["A15", "verdict"] == "not tested"
    assert "weight_maps has no rows with" in found.loc["A15", "reason"]


def test_a_substantial_loss_that_bursts_alone_make_depends():
    table = verdicts(read_claims(AUTOENCODER), run(**{"Model-3-HCG": 0.34})).set_index("id")
    assert table.loc["A5", "verdict"] == "depends"


def test_comparable_losses_depend_if_model_3_is_as_comparable():
    table = verdicts(read_claims(AUTOENCODER), run(**{"Model-3": 0.345})).set_index("id")
    assert table.loc["A4", "verdict"] == "depends"


@pytest.mark.parametrize("amplitude", ["clipped", "rms 1", "best gain"])
def test_a_difference_that_other_amplitudes_turn_round_depends(amplitude):
    tables = run()
    outputs = tables["amplitudes"]
    outputs.loc[(outputs["model"] == "Model-3") & (outputs["amplitude"] == amplitude), "hinge"] /= 3
    table = verdicts(read_claims(AUTOENCODER), tables).set_index("id")
    for claim in ("A2", "A5"):
        assert table.loc[claim, "verdict"] == "depends", table.loc[claim, "reason"]


def test_a_larger_loss_of_model_3_depends_if_it_recovers_as_many_spins():
    tables = run()
    outputs = tables["amplitudes"]
    outputs["spin_accuracy"] = 0.9 + 1e-4 * outputs["member"]
    row = verdicts(read_claims(AUTOENCODER), tables).set_index("id").loc["A2"]
    assert (row["verdict"], "the control shows" in row["reason"]) == ("depends", True)


@pytest.mark.parametrize(
    ("claim", "codes", "verdict"),
    [
        ("A7", {}, "depends"),  # a random linear code loses less
        # it beats one mode, as nearly any code does, but not decimation
        ("A7", {"random linear": 0.35}, "reproduced"),
        ("A7", {"random linear": 0.8}, "reproduced"),
        ("A7", {"random linear": 0.8, "random sites": 0.2}, "not reproduced"),
        ("A7", {"random linear": 0.8, "one mode": 0.2}, "not reproduced"),
        ("A9", {"random linear": 0.4}, "depends"),
        ("A9", {"decimation": 0.1}, "not reproduced"),
    ],
)
def test_decimation_is_judged_beside_other_codes(claim, codes, verdict):
    tables = run()
    floors = tables["loss_floors"].set_index("encoder")
    for encoder, level in codes.items():
        columns = ["mse", "hinge_least_squares", "hinge_best_gain"]
        floors.loc[encoder, columns] += level - floors.loc[encoder, columns].mean()
    tables["loss_floors"] = floors.reset_index()
    table = verdicts(read_claims(AUTOENCODER), tables).set_index("id")
    assert table.loc[claim, "verdict"] == verdict, table.loc[claim, "reason"]


def test_a_code_that_was_not_drawn_leaves_untested_what_is_said_of_it():
    tables = run()
    floors = tables["loss_floors"]
    tables["loss_floors"] = floors[~floors["encoder"].str.startswith("random")]
    table = verdicts(read_claims(AUTOENCODER), tables).set_index("id")
    assert table.loc["A7", "verdict"] == "not tested"
    assert table.loc["A9", "verdict"] == "undecided"  # its control is missing


def with_numbers(name, numbers, **of):
    """The verdicts of a run in one of whose tables some rows hold other numbers."""
    tables = run()
    table = tables[name] = tables[name].reset_index(drop=True)
    rows = np.ones(len(table), dtype=bool)
    for column, wanted in of.items():
        rows &= table[column] == wanted
    assert rows.any()
    for column, value in numbers.items():
        table.loc[rows, column] = value
    return verdicts(read_claims(AUTOENCODER), tables).set_index("id")["verdict"]


NETS_SIGN, DECIMATED = {"lattices": "autoencoder_sign"}, {"lattices": "decimated"}


@pytest.mark.parametrize(
    ("claim", "table", "numbers", "of", "verdict"),
    [
        ("A24", "local_order", {"C1_change": -0.1}, NETS_SIGN, "not reproduced"),
        ("A24", "local_order", {"islands_change": 0.1}, NETS_SIGN, "not reproduced"),
        ("A24", "local_order", {"islands_change": -0.1}, {"lattices": "majority filter"},
         "depends"),
        ("A25", "local_order", {"C1_change": 0.1}, DECIMATED, "not reproduced"),
        ("A25", "local_order", {"C1_change": 0.001}, DECIMATED, "undecided"),
        ("A25", "local_order", {"C1_change": -0.1}, {"lattices": "two sites apart"}, "depends"),
        ("A27", "thermometer", {"squared_error": 0.008}, {}, "not reproduced"),
        ("A27", "thermometer", {"squared_error_of_constant": 0.004}, {}, "depends"),
        ("A30", "exact_thermometers", {"change_E": -0.1}, DECIMATED, "depends"),
        ("A30", "exact_thermometers", {"change_E": -0.1, "change_R": -0.1}, DECIMATED,
         "not reproduced"),
        ("A30", "exact_thermometers", {"change_E": -0.1, "change_R": -0.1}, {"lattices": "input"},
         "depends"),
        ("A36", "exact_thermometers", {"change_E": 0.1}, NETS_SIGN, "depends"),
        ("A36", "exact_thermometers", {"change_E": 0.1, "change_R": np.nan}, NETS_SIGN,
         "not reproduced"),
        ("A36", "exact_thermometers", {"change_E": 0.1, "change_R": 0.1}, {"lattices": "input"},
         "depends"),
    ],
)  # fmt: skip
def test_what_maps_do_refutes_or_their_controls_explain_it(claim, table, numbers, of, verdict):
    assert with_numbers(table, numbers, **of)[claim] == verdict


def test_grey_levels_that_show_the_contrary_make_the_entropys_claim_depend():
    tables = run()
    gaps = tables["entropy_gaps"]
    gaps.loc[gaps["image"] == "rescale", ["gap_bits", "relative_gap"]] += 2
    table = verdicts(read_claims(AUTOENCODER), tables).set_index("id")
    assert table.loc["A20", "verdict"] == "depends"


def test_a_thermometer_that_pulls_its_own_inputs_makes_the_flow_depend():
    tables = run()
    flow = tables["beta_flow"]
    for kind, slope in (("input", 0.5), ("autoencoder", 0.1), ("autoencoder_sign", 0.1)):
        rows = flow["lattices"] == kind
        flow.loc[rows, "beta_predicted"] = 0.45 + slope * (flow.loc[rows, "beta"] - 0.45)
    table = verdicts(read_claims(AUTOENCODER), tables).set_index("id")
    assert table.loc["A31", "verdict"] == "depends"
    assert table.loc["A32", "verdict"] == "depends"


def test_a_line_that_does_not_fit_its_points_refutes_the_crossing():
    tables = run()
    flow = tables["beta_flow"]
    tables["beta_flow"] = flow.assign(
        beta_predicted=flow["beta_predicted"] + 0.02 * np.sin(40 * flow["beta"])
    )
    table = verdicts(read_claims(AUTOENCODER), tables).set_index("id")
    assert table.loc["A33", "verdict"] in ("not reproduced", "undecided")
    assert "χ²" in table.loc["A33", "reason"]


# The text -----------------------------------------------------------------------------------------


def test_the_text_fits_a_terminal_and_cuts_no_claim_short():
    table = verdicts(read_claims(AUTOENCODER), run())
    text = claims_text(table)
    assert max(map(len, text.splitlines())) <= WIDTH
    for row in table[table["verdict"] != "not tested"].to_dict("records"):
        (line,) = (line for line in text.splitlines() if line.startswith(f"{row['id']} "))
        assert row["claim"] in line
        assert line.endswith(row["verdict"])
        assert measured(row) in line


def test_the_text_names_what_was_not_tested():
    told = claims_text(verdicts(read_claims(AUTOENCODER), run())).rpartition("Not tested")[2]
    for k in range(1, 42):
        assert (f"A{k}," in told or f"A{k}." in told) == (f"A{k}" not in JUDGED)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.2373, 0.2435, "0.2404 [0.2373, 0.2435]"),
        (-1.2, 7.2, "3.0 [-1.2, 7.2]"),
        (-0.0301, 0.03, "0.000 [-0.030, 0.030]"),
        (1.4e-5, 1.24e-4, "6.9e-05 [1.4e-05, 1.2e-04]"),
        (0.44068, 0.44070, "0.4407 [0.4407, 0.4407]"),
        (0.5, 0.5, "0.5"),
        (np.nan, np.nan, "none"),
    ],
)
def test_measured_numbers_have_as_many_digits_as_their_intervals_grant(low, high, text):
    row = {"measured": (low + high) / 2, "low": low, "high": high, "interval": "95 %"}
    assert measured(row) == text


def test_an_interval_of_standard_errors_is_marked_as_such(as_published):
    assert list(as_published.loc[["A1", "A22", "A23", "A29"], "interval"]) == [
        "95 %", "3σ", "5σ", "exact",
    ]  # fmt: skip
    assert measured(as_published.loc["A22"].to_dict()).endswith("] 3σ")


@pytest.mark.parametrize(("b", "verdict"), [(0.3, "undecided"), (0.1, "not reproduced")])
def test_a_control_that_has_not_converged_leaves_undecided_what_it_decides(judged, b, verdict):
    control = FILE["claims"][0]["control"] | {"rests_on": ["C"]}
    row = judged(changed(control=control), losses(B=b), convergence(C=0.02))
    assert row["verdict"] == verdict
    assert ("C (2 %); as it stands: reproduced" in row["reason"]) == (verdict == "undecided")


@pytest.mark.parametrize("claim", ["A22", "A23"])
def test_a_claim_about_decimation_waits_for_the_net_of_its_control(claim):
    tables = run()
    rest = tables["convergence"]
    rest.loc[rest["model"] == "AE-WR", ["fall", "converged"]] = [0.02, False]
    row = verdicts(read_claims(AUTOENCODER), tables).set_index("id").loc[claim]
    assert (row["verdict"], "AE-WR (2 %)" in row["reason"]) == ("undecided", True)


def test_a_claim_may_be_another_papers(judged):
    assert judged()["paper"] == "Somebody 2000"
    assert judged(changed(paper="Someone else 2001"))["paper"] == "Someone else 2001"


def test_a_null_takes_a_column_of_rows_away(judged):
    table = losses().assign(split="test")
    file = changed()
    statistic = file["claims"][0]["statistic"]
    statistic["rows"] = {"split": "nowhere"}
    assert judged(file, table)["verdict"] == "not tested"
    file["claims"][0]["readings"] = [
        {name: {"column": column, "rows": {"split": None, "member": {"at_least": 0}}}}
        for name, column in (
            ("hinge", "hinge"), ("objective", "objective"), ("frozen", "objective_all_layers"),
        )
    ]  # fmt: skip
    assert judged(file, table)["verdict"] == "reproduced"
