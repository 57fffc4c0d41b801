"""Adding, changing and removing a variant makes just that variant, and what is collected."""

import json
from dataclasses import dataclass

import pytest

from checkouts import Checkout
from planning import Planner

pytestmark = pytest.mark.slow

RESCALED = {"local_entropy": {"autoencoder_image": "rescale"}}
ENTROPIES = ("local_entropy", "entropy_gaps")
FLOW = ("beta_flow", "beta_fixed_point")


@dataclass(frozen=True)
class Copy:
    """A copy in which a variant has been made, and a planner there."""

    checkout: Checkout
    planner: Planner

    def plan(self, variants, **settings):
        """The outputs that `make all` would make beside the experiment itself."""
        settings = {"variants": variants, **settings}
        plan = self.planner.plan("variants", settings=settings)
        return {output for job in plan for output in job.outputs}


@pytest.fixture
def copy(smoke_run, tmp_path):
    checkout = smoke_run.copied(tmp_path / "copy")
    changes = tmp_path / "settings.json"
    changes.write_text(json.dumps({"variants": {"rescaled": RESCALED}}))
    done = checkout.smoke("variants", changes=[changes])
    assert done.returncode == 0, done.stdout
    planner = Planner(checkout.path, tmp_path)
    yield Copy(checkout, planner)
    planner.close()


def own(variant, tables):
    return {f"results/smoke/variants/{variant}/tables/{name}.csv" for name in tables}


def collected(tables):
    """The tables joined over variants, and the verdicts that are told from them."""
    return {f"results/smoke/tables/variants/{name}.csv" for name in (*tables, "claims")}


def test_a_finished_variant_is_left_and_another_one_makes_only_itself(copy):
    assert copy.plan({"rescaled": RESCALED}) == set()
    both = {"rescaled": RESCALED, "b": {"bootstrap_samples": 300}}
    assert copy.plan(both) == own("b", FLOW) | collected(FLOW)
    # another point over the same table: itself, and what is collected from all
    sweep = {"a": {"local_entropy.autoencoder_image": ["rescale"]}}
    point = own("a_autoencoder_image=rescale", ENTROPIES)
    made = copy.plan({"rescaled": RESCALED}, sweeps=sweep)
    assert made == point | collected(ENTROPIES)
    # changed: made again, with lattices of its own
    changed = {"local_entropy": {"autoencoder_image": "rescale", "lattices_per_beta": 12}}
    again = copy.plan({"rescaled": changed})
    assert own("rescaled", ENTROPIES) | collected(ENTROPIES) <= again
    assert all("/variants/" in path for path in again)
    # removed: nothing to make
    assert copy.plan({}) == set()


def test_another_point_of_a_sweep_trains_and_judges_just_that(copy):
    """One line more in a sweep that is asked for the losses of one net."""
    only = {"tables": ["model_losses", "convergence"], "nets": ["Model-1"]}
    sweeps = {"penalty": {"nets.l1": [1e-4], "only": only}}
    place = "results/smoke/variants/penalty_l1=0.0001/"
    of_members = [
        f"{place}nets/Model-1/member-{k}.{end}"
        for k in range(2)
        for end in ("safetensors", "history.csv", "losses.csv", "amplitudes.csv")
    ]
    tables = {f"{place}tables/{name}.csv" for name in ("amplitudes", *only["tables"])}
    made = copy.plan({"rescaled": RESCALED}, sweeps=sweeps)
    assert made == {*of_members} | tables | collected(only["tables"])


def test_the_collected_table_tells_each_rows_variant_and_setting(copy):
    tables = copy.checkout.path / "results/smoke/tables"
    lines = (tables / "variants/local_entropy.csv").read_text().splitlines()
    cells = [line.split(",") for line in lines]
    assert cells[0][:3] == ["variant", "local_entropy.autoencoder_image", "beta"]
    assert {tuple(each[:2]) for each in cells[1:]} == {("base", "sign"), ("rescaled", "rescale")}
    base = (tables / "local_entropy.csv").read_text().splitlines()
    assert [",".join(each[2:]) for each in cells[1 : len(base)]] == base[1:]
