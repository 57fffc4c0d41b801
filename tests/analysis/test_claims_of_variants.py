"""Claims about what variants vary: which rows count, and whose trainings."""

import pandas as pd
import pytest
import yaml

from coarsegrain.analysis.claims import verdicts
from coarsegrain.analysis.claims_file import read_claims
from coarsegrain.analysis.criterion import ClaimError

FILE = {
    "paper": "Somebody 2000",
    "study": "A",
    "sweeps": "make all",
    "claims": [
        {
            "id": "A1",
            "where": "III",
            "claim": "A penalty lowers the score",
            "statistic": {
                "table": "variants/scores",
                "column": "score",
                "unit": "member",
                "rows": {"net": "A"},
                "difference_of": [{"penalty.l1": 0.1}, {"penalty.l1": 0}],
            },
            "criterion": {"below": 0},
            "control": {
                "what": "so does another size",
                "difference_of": [{"size": 4}, {"size": 8}],
                "criterion": {"below": 0},
            },
            "rests_on": ["A"],
        }
    ],
}
MADE = "`make all` makes them, with verdicts in tables/variants/claims.csv"
BASE = {"penalty.l1": 0.0, "size": 8}
#: By variant: its settings, the score of A, and how much A's objective fell at the end.
VARIANTS = {
    "base": (BASE, 1.0, 0.0),
    "penalised": (BASE | {"penalty.l1": 0.1}, 0.8, 0.0),
    "small": (BASE | {"size": 4}, 1.2, 0.0),
    "both": (BASE | {"penalty.l1": 0.1, "size": 4}, 5.0, 0.9),
}


def tables(variants=VARIANTS, falls_of_base=None):
    """A run's own tables, and those joined over its variants."""
    scores = [
        {"variant": name, **settings, "net": "A", "member": k, "score": score + 0.01 * k}
        for name, (settings, score, _) in variants.items()
        for k in range(3)
    ]
    ends = [
        {"variant": name, **settings, "model": "A", "member": k, "fall": fall,
         "converged": fall < 0.01}
        for name, (settings, _, fall) in variants.items()
        for k in range(3)
    ]  # fmt: skip
    joined = {"scores": pd.DataFrame(scores), "convergence": pd.DataFrame(ends)}
    settings = ["variant", *BASE]
    own = {
        name: table[table["variant"] == "base"].drop(columns=settings)
        for name, table in joined.items()
    }
    return own | {f"variants/{name}": table for name, table in joined.items()}


@pytest.fixture
def judged(tmp_path):
    def judge(made=None, **changes):
        path = tmp_path / "claims.yaml"
        file = FILE | {"claims": [FILE["claims"][0] | changes]}
        path.write_text(yaml.safe_dump(file, allow_unicode=True, sort_keys=False))
        (row,) = verdicts(read_claims(path), made or tables()).to_dict("records")
        return row

    return judge


def with_fall(name, fall):
    settings, score, _ = VARIANTS[name]
    return tables(VARIANTS | {name: (settings, score, fall)})


def with_score(name, score):
    settings, _, fall = VARIANTS[name]
    return tables(VARIANTS | {name: (settings, score, fall)})


def test_settings_that_a_statistic_does_not_name_are_the_experiments_own(judged):
    row = judged()
    # 5.0 is that of a variant of another size
    assert (row["verdict"], row["measured"]) == ("reproduced", pytest.approx(-0.2))
    assert row["control_value"] == pytest.approx(0.2)


def test_another_score_of_a_variant_or_another_criterion_gives_another_verdict(judged):
    assert judged(with_score("penalised", 1.3))["verdict"] == "not reproduced"
    assert judged(with_score("small", 0.9))["verdict"] == "depends"
    assert judged(criterion={"below": -0.5})["verdict"] == "not reproduced"


def test_two_variants_of_the_same_settings_count_once(judged):
    again = VARIANTS | {"twin": VARIANTS["penalised"]}
    assert judged(tables(again))["measured"] == pytest.approx(-0.2)
    settings, _, fall = VARIANTS["penalised"]
    with pytest.raises(ClaimError, match="hold several numbers for one member; narrow them"):
        judged(tables(VARIANTS | {"twin": (settings, 0.7, fall)}))


def test_a_run_without_variants_does_not_test_it_and_says_what_does(judged):
    own = {name: table for name, table in tables().items() if "/" not in name}
    row = judged(own)
    assert (row["verdict"], row["reason"]) == (
        "not tested", f"it needs variants of penalty.l1; {MADE}",
    )  # fmt: skip


def test_variants_of_other_settings_do_not_test_it_either(judged):
    made = tables({name: VARIANTS[name] for name in ("base", "small")})
    assert judged(made)["reason"] == f"no variant has penalty.l1 0.1; {MADE}"
    without = {
        name: table.drop(columns="penalty.l1", errors="ignore") for name, table in made.items()
    }
    assert judged(without)["reason"] == f"it needs variants of penalty.l1; {MADE}"


def test_a_table_that_no_run_has_is_refused_by_name(judged):
    statistic = FILE["claims"][0]["statistic"] | {"table": "variants/scorse"}
    with pytest.raises(ClaimError, match="claim A1: there is no table scorse"):
        judged(statistic=statistic)


def test_a_variants_training_that_has_not_converged_leaves_the_claim_undecided(judged):
    row = judged(with_fall("penalised", 0.02))
    assert row["verdict"] == "undecided"
    assert "A (2 %); as it stands: reproduced" in row["reason"]
    assert judged(with_fall("base", 0.02))["verdict"] == "undecided"


def test_trainings_of_other_variants_do_not_matter(judged):
    assert VARIANTS["both"][2] > 0.01
    assert judged()["verdict"] == "reproduced"
    assert judged(with_fall("small", 0.5))["verdict"] == "reproduced"
    control = FILE["claims"][0]["control"] | {"rests_on": ["A"]}
    assert judged(with_fall("small", 0.5), control=control)["verdict"] == "undecided"


def test_trainings_of_variants_do_not_matter_to_claims_about_the_run_itself(judged):
    statistic = {"table": "scores", "column": "score", "unit": "member", "rows": {"net": "A"}}
    control = {"what": "none", "criterion": {"below": 0}}
    made = tables({name: (*each[:2], 0.5 * (name != "base")) for name, each in VARIANTS.items()})
    row = judged(made, statistic=statistic, criterion={"above": 0.5}, control=control)
    assert row["verdict"] == "reproduced"


def test_a_net_that_a_variant_shares_is_judged_by_the_experiments_own_training(judged):
    for fall, verdict in ((0.0, "reproduced"), (0.03, "undecided")):
        made = tables()
        shared = [{"model": "B", "member": k, "fall": fall, "converged": fall < 0.01}
                  for k in range(3)]  # fmt: skip
        made["convergence"] = pd.concat([made["convergence"], pd.DataFrame(shared)])
        assert judged(made, rests_on=["A", "B"])["verdict"] == verdict


EACH = {
    "statistic": {
        "table": "variants/scores", "column": "score", "unit": "member", "rows": {"net": "A"},
    },
    "for_each": "penalty.l1",
    "control": {"what": "another size", "rows": {"size": 4}, "criterion": {"below": 0}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("criterion", "verdict"),
    [
        ({"between": [0.7, 1.1]}, "reproduced"),
        ({"below": 0.9}, "depends"),
        ({"above": 2}, "not reproduced"),
        ({"above": 1.01}, "undecided"),
    ],
)
def test_a_claim_for_each_value_of_a_setting_is_read_at_all_of_them(judged, criterion, verdict):
    row = judged(criterion=criterion, **EACH)
    assert row["verdict"] == verdict
    assert "penalty.l1 0.0: 1.01" in row["reason"]
    assert ("penalty.l1 0.1: 0.81" in row["reason"]) == (verdict != "")


def test_one_value_of_a_setting_is_no_sweep(judged):
    made = tables({name: VARIANTS[name] for name in ("base", "small")})
    row = judged(made, criterion={"below": 2}, **EACH)
    assert row["reason"] == f"it needs variants of several penalty.l1; {MADE}"
