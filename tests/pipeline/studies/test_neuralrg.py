"""Study C: which recipes each of its settings decides, and that all that it makes is there."""

import copy

import pytest
import yaml

from checkouts import PROJECT
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.studies.experiment import Experiment
from pipeline.studies.neuralrg import FLOWS, SAMPLED

SMOKE = yaml.safe_load((PROJECT / "workflow/presets/smoke.yaml").read_text())
SUBLATTICES = {name for name, flow in FLOWS.items() if flow.stage == "train_flow"}
LEARNS, ALONE = "sublattices", "energy-alone"


def study(**changes):
    config = copy.deepcopy({**SMOKE, "studies": ["neuralrg"]})
    for key, value in changes.items():
        *sections, name = key.split("__")
        inner = config["neuralrg"]
        for each in sections:
            inner = inner.setdefault(each, {})
        inner[name] = value
    return Experiment(validated(laid_over_defaults(config))).studies


def recipes(**changes):
    """All recipes of the study and of its lattices, by method and arguments."""
    studies = study(**changes)
    flows, lattices = studies["neuralrg"], studies["lattices"]
    members = [(name, k) for name in FLOWS for k in flows.members()]
    made = {
        (FLOWS[name].stage, name, k): getattr(flows, FLOWS[name].stage)(name, k)
        for name, k in members
    }
    made |= {("measure_gap", *each): flows.measure_gap(*each) for each in members}
    made |= {("measure_information", *each): flows.measure_information(*each) for each in members}
    made |= {
        ("measure_field_information", k): flows.measure_field_information(k)
        for k in flows.members()
    }
    made |= {("measure_scales", *each): flows.measure_scales(*each) for each in members}
    made["collect_gaps",] = flows.collect_gaps()
    made |= {
        ("compare_samplers", SAMPLED, k): flows.compare_samplers(SAMPLED, k)
        for k in flows.members()
    }
    sets = ["neuralrg/test", *(f"neuralrg/member-{k}" for k in flows.members())]
    return made | {("lattices", name): lattices.sample_lattices(name) for name in sets}


def changed(**changes):
    """The names of recipes whose specs a change decides."""
    before, after = recipes(), recipes(**changes)
    assert before.keys() == after.keys()
    return {key[:2] for key in before if before[key].spec != after[key].spec}


TRAINED = {(flow.stage, name) for name, flow in FLOWS.items()}
MEASURED = {("measure_gap", name) for name in FLOWS}
INFORMATION = {("measure_information", name) for name in FLOWS} | {
    ("measure_field_information", k) for k in range(SMOKE["members"])
}
SCALES = {("measure_scales", name) for name in FLOWS}
COMPARED = {("compare_samplers", SAMPLED)}
MEMBERS = {("lattices", f"neuralrg/member-{k}") for k in range(SMOKE["members"])}
TEST = {("lattices", "neuralrg/test")}
OURS = {("train_flow", name) for name in SUBLATTICES}
THEIRS = {("train_patch_flow", "patches")}


@pytest.mark.parametrize(
    ("key", "value", "decides"),
    [
        ("L", 8, TRAINED | {("collect_gaps",)} | MEMBERS | TEST),
        (
            "beta",
            0.43,
            TRAINED
            | MEASURED
            | INFORMATION
            | SCALES
            | COMPARED
            | {("collect_gaps",)}
            | MEMBERS
            | TEST,
        ),
        ("lattices", 110, MEMBERS),
        ("test_lattices", 210, TEST),
        ("samples", 210, MEASURED),
        ("information__samples", 110, INFORMATION | SCALES),
        ("couplings", 3, OURS),
        ("hidden", 6, OURS),
        ("bins", 3, OURS),
        ("passes", "means", OURS),
        ("steps", 41, OURS),
        ("batch", 64, OURS),
        ("learning_rate", 2e-3, OURS),
        ("likelihood", 0.25, {("train_flow", LEARNS)}),
        ("ingredients__modes", False, OURS),
        ("fit_mean", True, {("train_flow", LEARNS)}),
        ("grown_from", 4, set()),
        ("patches__couplings", 3, THEIRS),
        ("patches__hidden", 5, THEIRS),
        ("patches__depth", 1, THEIRS),
        ("patches__steps", 21, THEIRS),
        ("patches__batch", 64, THEIRS),
        ("patches__learning_rate", 2e-3, THEIRS),
        ("patches__weight_decay", 0, THEIRS),
        ("sampling__chains", 12, COMPARED),
        ("sampling__trajectories", 210, COMPARED),
        ("sampling__leapfrogs", 5, COMPARED),
        ("sampling__proposals", 1100, COMPARED),
    ],
)
def test_a_setting_decides_these_recipes_and_no_other(key, value, decides):
    assert changed(**{key: value}) == decides


def test_without_the_likelihood_no_flow_reads_lattices_and_none_are_sampled_for_it():
    flows = study(likelihood=0)["neuralrg"]
    assert flows.lattice_sets() == ["neuralrg/test"]
    assert flows.train_flow(LEARNS, 0).inputs == {"lattices": [], "smaller": []}


def test_the_flow_by_the_energy_alone_reads_no_lattices():
    assert study()["neuralrg"].train_flow(ALONE, 0).inputs == {"lattices": [], "smaller": []}


def test_a_flow_grows_from_one_of_half_the_size_with_lattices_of_its_own():
    studies = study(L=16, grown_from=4)
    flows = studies["neuralrg"]
    names = [f"{LEARNS}{end}" for end in ("", "-L8", "-L4")]
    for name, smaller, L in zip(names, [*names[1:], ""], (16, 8, 4)):
        recipe = flows.train_flow(name, 1)
        before = [flows.flow(smaller, 1)] if smaller else []
        lattices = f"neuralrg/member-1{name.removeprefix(LEARNS)}"
        assert recipe.spec["architecture"]["L"] == L
        assert recipe.inputs["smaller"] == before
        assert recipe.inputs["lattices"] == [studies["lattices"].path(lattices)]
        assert studies["lattices"].sample_lattices(lattices).spec["L"] == L
    assert len(flows.lattice_sets()) == 3 * len(flows.members()) + 1


def test_every_member_has_seeds_of_its_own():
    made = recipes()
    seeds = [
        made[key].spec[name]
        for key in made
        for name in made[key].spec
        if name in ("start_seed", "sample_seed", "draw_seed", "accept_seed", "lattice_seed")
        or name in ("latent_seed", "physical_seed")
    ]
    assert len(set(seeds)) == len(seeds)


def test_every_table_and_figure_has_a_recipe():
    flows = study()["neuralrg"]
    for table, method in flows.tables.items():
        assert flows.table(table).endswith(f"tables/{table}.csv")
        assert getattr(flows, method)()
    for figure in flows.figures:
        assert getattr(flows, f"plot_{figure.name}")().inputs
