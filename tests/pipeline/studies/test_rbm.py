"""Study B: which recipes each of its settings decides, and that all that it makes is there."""

import copy

import pytest
import yaml

from checkouts import PROJECT
from coarsegrain.errors import ConfigError
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.studies.experiment import Experiment
from pipeline.studies.machines import MACHINES
from pipeline.studies.maps import CODES, FORMULAS, LEARNED, STACK
from pipeline.studies.rbm import CRITICAL

SMOKE = yaml.safe_load((PROJECT / "workflow/presets/smoke.yaml").read_text())


def study(**changes):
    config = copy.deepcopy({**SMOKE, "studies": ["rbm"]})
    for key, value in changes.items():
        *sections, name = key.split("__")
        inner = config["rbm"]
        for each in sections:
            inner = inner.setdefault(each, {})
        inner[name] = value
    return Experiment(validated(laid_over_defaults(config))).studies


def recipes(**changes):
    """All recipes of the study and of its lattices, by method and arguments."""
    studies = study(**changes)
    rbm, lattices = studies["rbm"], studies["lattices"]
    machines = [(name, k) for name in MACHINES for k in rbm.members()]
    measured = [(name, k) for name, k in machines if name in CRITICAL]
    layered = [(name, k) for name, k in machines if name in (*CRITICAL, *STACK)]
    asked = {
        "train_machine": machines,
        "sample_blocks": [(k,) for k in rbm.members()],
        "sample_layer": [("layer-1", k) for k in rbm.members()],
        "measure_likelihood": measured,
        "measure_couplings": layered,
        "measure_exponents": [(name,) for name in (*FORMULAS, *LEARNED)],
        **{method: [()] for method in rbm.tables.values()},
        **{f"plot_{figure.name}": [()] for figure in rbm.figures},
    }
    made = {
        (method, *arguments): getattr(rbm, method)(*arguments)
        for method, calls in asked.items()
        for arguments in calls
    }
    sets = rbm.lattice_sets()
    return made | {("lattices", name): lattices.sample_lattices(name) for name in sets}


def changed(**changes):
    """The names of recipes whose specs a change decides."""
    before, after = recipes(), recipes(**changes)
    assert before.keys() == after.keys()
    return {key for key in before if before[key].spec != after[key].spec}


def of(method, *names):
    """A pattern for ``changed``: calls of a method whose first argument is one of some."""
    return lambda key: key[0] == method and (not names or key[1] in names)


KERNELS = [name for name, machine in MACHINES.items() if machine.kernel != 0]
FREE = [name for name in MACHINES if name not in KERNELS]
PENALISED = ["free", "free-hot", "free-blocks"]
SETS = {
    "training": lambda key: key[0] == "lattices" and "/member-" in key[1],
    "exponents": lambda key: key[0] == "lattices" and "/L-" in key[1],
    "flow": lambda key: key[0] == "lattices" and key[1] in ("rbm/flow", "rbm/reference"),
    "test": lambda key: key == ("lattices", "rbm/test"),
    "critical": lambda key: key[0] == "lattices" and key[1].startswith("rbm/critical/"),
}
DECIDES = {
    ("beta", 0.43): [SETS["critical"], SETS["test"], of("block_mechanism")],
    ("lattices", 210): [SETS["training"], of("sample_blocks")],
    ("test_lattices", 110): [SETS["test"]],
    ("kernel", 3): [of("train_machine", *set(KERNELS) - {"disjoint"})],
    ("batch", 10): [of("train_machine")],
    ("chains", 10): [of("train_machine")],
    ("gibbs_steps", 2): [of("train_machine")],
    ("learning_rate__tied", 2e-3): [of("train_machine", *KERNELS)],
    ("learning_rate__free", 2e-3): [of("train_machine", *FREE)],
    ("l1", 2e-2): [
        of("train_machine", *PENALISED),
        of("measure_likelihood", *PENALISED),
        of("measure_couplings", *PENALISED),
        of("measure_fields"),
        of("fit_soft_majority"),
    ],
    ("updates__tied", 41): [of("train_machine", *KERNELS)],
    ("updates__free", 41): [of("train_machine", *FREE)],
    ("ring__rings", 110): [of("learn_ring_flow")],
    ("ring__steps", 210): [of("learn_ring_flow"), of("fit_ring_machine")],
    ("likelihood__ais_chains", 17): [of("measure_likelihood")],
    ("likelihood__ais_steps", 101): [of("measure_likelihood")],
    ("likelihood__bar_chains", 17): [of("measure_likelihood")],
    ("exponents__lattices", 110): [SETS["exponents"]],
    ("exponents__shifts", 2): [of("measure_exponents")],
    ("flow__betas", 5): [SETS["flow"]],
    ("flow__lattices_per_beta", 22): [SETS["flow"]],
}


@pytest.mark.parametrize("setting", DECIDES, ids=lambda setting: setting[0])
def test_a_setting_decides_these_recipes_and_no_others(setting):
    key, value = setting
    expected = {name for name in recipes() if any(each(name) for each in DECIDES[setting])}
    assert expected
    assert changed(**{key: value}) == expected


def test_hidden_units_that_are_not_as_many_as_blocks_make_no_map():
    with_map, without = (study(hidden=number)["rbm"] for number in (16, 20))
    maps = [each.collect_exponents().inputs["exponents"] for each in (with_map, without)]
    assert set(maps[0]) - set(maps[1]) == {"results/smoke/exponents/free.csv"}
    assert without.train_machine("free", 0).spec["hidden"] == 20


def test_seeds_of_all_recipes_differ():
    seeds = [
        value
        for recipe in recipes().values()
        for key, value in recipe.spec.items()
        if key == "seed" or key.endswith("_seed")
    ]
    assert len(set(seeds)) == len(seeds)


def test_layers_of_a_stack_learn_from_the_layer_below():
    rbm = study()["rbm"]
    assert rbm.train_machine("layer-2", 1).inputs["below"] == [rbm.machine("layer-1", 1)]
    assert rbm.train_machine("layer-1", 1).inputs["below"] == []
    layer = rbm.sample_layer("layer-1", 1).inputs["machines"]
    assert layer == [rbm.machine("layer-1", 1)]
    seen = rbm.measure_couplings("layer-2", 1).inputs["lattices"]
    assert seen == "results/smoke/machines/layer-1/member-1.layer.nc"


def test_every_member_has_lattices_of_its_own():
    rbm = study()["rbm"]
    for name in MACHINES:
        first, second = (rbm.train_machine(name, k).inputs["lattices"] for k in (0, 1))
        assert first != second


def test_what_a_variant_of_the_penalty_makes_is_of_penalised_machines():
    config = {**SMOKE, "studies": ["rbm"], "variants": {"strong": {"rbm": {"l1": 1e-1}}}}
    ((_, variant),) = Experiment(validated(laid_over_defaults(config))).variants
    rbm = variant.studies["rbm"]
    own = {name for name in MACHINES if "/variants/" in rbm.machine(name, 0)}
    assert own == set(PENALISED)
    assert "/variants/" not in rbm.table("rbm_flow")
    assert "/variants/" in rbm.table("rbm_fields")


@pytest.mark.parametrize("name", ["nonsense", *CODES])
def test_a_map_that_the_experiment_does_not_have_is_refused_by_name(name):
    with pytest.raises(ConfigError, match=f"{name} is no map of this experiment; it has majority"):
        study()["rbm"].measure_exponents(name)


@pytest.fixture
def both():
    """Makes both studies under the smoke preset, with changes."""

    def made(changes):
        config = {**SMOKE, "studies": ["autoencoder", "rbm"], **changes}
        studies = Experiment(validated(laid_over_defaults(config))).studies
        return studies["autoencoder"], studies["rbm"]

    return made


def test_nets_of_the_same_side_are_put_to_the_same_tests(both):
    nets, rbm = both({})
    alone = study()["rbm"]
    added = {f"results/smoke/exponents/{name}.csv" for name in CODES}
    maps = [set(each.collect_exponents().inputs["exponents"]) for each in (rbm, alone)]
    assert maps[0] - maps[1] == added
    recipe = rbm.measure_exponents("autoencoder-code")
    assert recipe.inputs["weights"] == [nets.network("Model-1", 0)]
    of_coarse_grainer = rbm.measure_exponents("coarse-grainer-code").inputs["weights"]
    assert of_coarse_grainer == nets.train_net("Model-2-CG", 0).inputs["transferred"]
    assert rbm.reconstruction_flow().inputs["thermometers"] == nets.networks("thermometer")
    assert alone.reconstruction_flow().inputs["thermometers"] == []


@pytest.mark.parametrize(
    ("changes", "codes", "thermometers"),
    [
        ({"L": 16}, 0, 0),
        ({"L": 16, "rbm": {**SMOKE["rbm"], "L": 16}}, 0, 2),
        ({"nets": {**SMOKE["nets"], "autoencoder_layers": [30, 10, 30]}}, 1, 2),
        ({"nets": {**SMOKE["nets"], "activation": "tanh"}}, 0, 2),
    ],
)
def test_nets_whose_sizes_or_units_do_not_fit_are_left_out(both, changes, codes, thermometers):
    _, rbm = both(changes)
    alone = len(study()["rbm"].collect_exponents().inputs["exponents"])
    assert len(rbm.collect_exponents().inputs["exponents"]) == alone + codes
    assert len(rbm.reconstruction_flow().inputs["thermometers"]) == thermometers


def test_a_variant_that_changes_nets_has_their_codes_and_no_machines_of_its_own(both):
    config = {**SMOKE, "studies": ["autoencoder", "rbm"], "variants": {"v": {"nets": {"l1": 0.1}}}}
    ((_, variant),) = Experiment(validated(laid_over_defaults(config))).variants
    rbm = variant.studies["rbm"]
    own = {path for path in rbm.collect_exponents().inputs["exponents"] if "/variants/v/" in path}
    assert own == {f"results/smoke/variants/v/exponents/{name}.csv" for name in CODES}
    assert "/variants/" not in rbm.machine("free", 0)
    assert "/variants/" not in rbm.table("rbm_flow")  # thermometers have no penalty
