"""The shipped claims judged by the tables of a real run."""

import pytest

from checkouts import PROJECT
from coarsegrain.analysis.claims_file import read_claims
from coarsegrain.analysis.claims_text import WIDTH, claims_text
from coarsegrain.storage.tables import read_table
from stages import judge_claims
from stages.autoencoder import collect_convergence, exact_points

CLAIMS = PROJECT / "workflow/claims/autoencoder.yaml"
# None of the smoke run's ten β is as near to the critical one as these claims ask.
NEAR_THE_CRITICAL_POINT = {"A30", "A36"}
OF_SWEEPS = {"A3", "A17", "A18", "A19", "A35", "A37", "A38", "A39"}


@pytest.mark.slow
def test_every_claim_that_tables_can_judge_is_judged_by_a_run(smoke_run, tmp_path):
    results = smoke_run.path / "results/smoke"
    histories = sorted(results.glob("nets/*/*.history.csv"))
    collect_convergence.main(histories=histories, table=tmp_path / "convergence.csv")
    exact_points.main(table=tmp_path / "exact_points.csv", spec={"L": 8})
    made = [tmp_path / "convergence.csv", tmp_path / "exact_points.csv"]
    names = {path.name for path in made}
    others = [path for path in results.glob("tables/*.csv") if path.name not in names]
    judge_claims.main(claims=[CLAIMS], tables=[*made, *others], table=tmp_path / "claims.csv")
    table = read_table(tmp_path / "claims.csv")
    tested = {claim.id for claim in read_claims(CLAIMS) if not claim.not_tested}
    untested = table["verdict"] == "not tested"
    assert set(table.loc[~untested, "id"]) == tested - NEAR_THE_CRITICAL_POINT - OF_SWEEPS
    reasons = table[untested].set_index("id")["reason"]
    for claim in OF_SWEEPS:
        assert reasons[claim].startswith("it needs variants of ")
        assert "; `make all PRESET=autoencoder-sweeps` makes them" in reasons[claim]
    for claim in NEAR_THE_CRITICAL_POINT:
        assert "exact_thermometers has no rows with" in reasons[claim]
        assert "beta at least 0.41 and at most 0.435" in reasons[claim]
    assert max(map(len, claims_text(table).splitlines())) <= WIDTH
