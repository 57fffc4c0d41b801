"""Variants and sweeps: what they are called, what they share with the base, what is refused."""

import copy

import pytest
import yaml

from checkouts import PROJECT
from coarsegrain.errors import ConfigError
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.studies.experiment import Experiment
from pipeline.studies.variants import variants_of

SMOKE = yaml.safe_load((PROJECT / "workflow/presets/smoke.yaml").read_text())


def config(**changes):
    return validated(laid_over_defaults({**copy.deepcopy(SMOKE), **changes}))


def with_variant(**changes):
    """The base and one variant of it."""
    base = Experiment(config(variants={"mine": changes}))
    ((_, variant),) = base.variants
    return base, variant


def own(variant):
    return set(variant.own_tables)


def test_a_sweep_is_a_grid_and_its_points_are_named_after_their_values():
    sweep = {"bins": {"local_entropy.number_of_betas": [5, 6], "nets.l1": [0, "1e-5"]}}
    points = variants_of(config(sweeps=sweep))
    assert [each.name for each in points] == [
        "bins_number_of_betas=5_l1=0", "bins_number_of_betas=5_l1=1e-5",
        "bins_number_of_betas=6_l1=0", "bins_number_of_betas=6_l1=1e-5",
    ]  # fmt: skip
    assert [each.setting("nets.l1") for each in points] == [0.0, 1e-5, 0.0, 1e-5]
    assert [each.config["local_entropy"]["number_of_betas"] for each in points] == [5, 5, 6, 6]


def test_keys_with_one_last_name_are_told_apart_and_lists_become_names():
    sweep = {"a": {"nets.batch_size": [10], "thermometer.batch_size": [20]}}
    (point,) = variants_of(config(sweeps=sweep))
    assert point.name == "a_nets_batch_size=10_thermometer_batch_size=20"
    (point,) = variants_of(config(sweeps={"a": {"nets.autoencoder_layers": [[32, 16, 32]]}}))
    assert point.name == "a_autoencoder_layers=32-16-32"


@pytest.mark.parametrize(
    ("changes", "tables"),
    [
        ({"local_entropy": {"autoencoder_image": "rescale"}}, {"local_entropy", "entropy_gaps"}),
        ({"bootstrap_samples": 300}, {"beta_flow", "beta_fixed_point"}),
        (
            {"thermometer": {"stop_mse": 0.01}},
            {"thermometer", "beta_flow", "beta_fixed_point", "convergence"},
        ),
        ({"nets": {"plateau": {"epochs": 3}}}, set()),
    ],
)
def test_a_variant_has_those_tables_of_its_own_that_its_settings_change(changes, tables):
    base, variant = with_variant(**changes)
    assert own(variant) == tables
    shared = set(base.tables) - tables
    assert {variant.tables[name] for name in shared} == {base.tables[name] for name in shared}


def test_a_variant_shares_lattices_and_nets_that_it_does_not_touch():
    base, variant = with_variant(nets={"l1": 1e-4})
    a, b = base.studies["autoencoder"], variant.studies["autoencoder"]
    assert base.lattices.path("critical/Model-1/member-0", 2) == variant.lattices.path(
        "critical/Model-1/member-0", 2
    )
    for net in ("thermometer", "HCG-64-32"):
        assert a.network(net, 0) == b.network(net, 0)
    for net in ("CG-64-32", "Model-1", "Model-3", "AE-WR"):  # Model-3 is made of CG nets
        assert b.network(net, 0) == a.network(net, 0).replace("smoke/", "smoke/variants/mine/")


def test_a_variant_of_the_lattices_has_its_own_from_there_on():
    base, variant = with_variant(lattices={"critical": {"number": 500}})
    changed = ("critical/Model-1/member-0", "critical_test")
    for name in (*changed, "wide_range/AE-WR/member-0", "local_entropy"):
        differs = base.lattices.path(name) != variant.lattices.path(name)
        assert differs == (name in changed)
        assert (base.lattices.certificate(name) != variant.lattices.certificate(name)) == differs


def test_a_variant_of_another_size_makes_nets_that_the_base_does_not_know():
    base, variant = with_variant(L=12)
    study = variant.studies["autoencoder"]
    assert study.network("CG-144-72", 0).startswith("results/smoke/variants/mine/nets/CG-144-72/")
    assert own(variant) == set(base.tables)


def test_more_members_in_a_variant_are_the_bases_own_later_on():
    base, variant = with_variant(members=3)
    study = variant.studies["autoencoder"]
    assert study.network("Model-1", 2) == base.studies["autoencoder"].network("Model-1", 2)
    assert "model_losses" in own(variant)


def test_a_variant_equal_to_the_base_makes_nothing():
    assert with_variant(nets={"l1": 1e-5})[1].own_tables == {}


ONLY = {"tables": ["model_losses", "convergence"], "nets": ["Model-3"]}


def test_a_variant_makes_only_the_tables_that_it_asks_for():
    base, variant = with_variant(nets={"l1": 1e-4}, only=ONLY)
    assert own(variant) == set(ONLY["tables"])
    assert "model_losses" in variant.tables["model_losses"]
    made = base.results_of_variants()
    folder = "results/smoke/tables/variants"
    assert [path for path in made if path.startswith(folder)] == [
        f"{folder}/{name}.csv" for name in (*ONLY["tables"], "claims")
    ]


def test_tables_of_a_variant_tell_only_of_the_nets_that_it_asks_for():
    _, variant = with_variant(nets={"l1": 1e-4}, only=ONLY)
    study = variant.studies["autoencoder"]
    losses = study.collect_losses().inputs["losses"]
    assert losses == [
        f"results/smoke/variants/mine/nets/Model-3/member-{k}.losses.csv" for k in range(2)
    ]
    # Model-3 trains nothing: what it is made of must have come to rest
    trained = {path.split("/")[-2] for path in study.collect_convergence().inputs["histories"]}
    assert trained == {"CG-64-32", "CG-32-16", "UP-16-32", "UP-32-64"}


def test_weights_are_measured_of_the_nets_that_a_variant_asks_for():
    base, variant = with_variant(nets={"l1": 1e-4}, only={"nets": ["Model-1"]})
    asked, whole = (each.studies["autoencoder"].measure_weights() for each in (variant, base))
    assert {option: len(files) for option, files in asked.inputs.items()} == {
        "first": 0, "second": 0, "autoencoders": 2, "wide_range": 0, "hard_coded": 2,
    }  # fmt: skip
    assert [len(whole.inputs[each]) for each in ("first", "second", "wide_range")] == [2, 2, 2]


def test_all_points_of_a_sweep_make_only_what_it_asks_for():
    sweep = {"penalty": {"nets.l1": [0, 1e-4], "only": ONLY}}
    base = Experiment(config(sweeps=sweep))
    assert [each.name for each, _ in base.variants] == ["penalty_l1=0", "penalty_l1=0.0001"]
    assert [own(variant) for _, variant in base.variants] == [set(ONLY["tables"])] * 2
    settings = base.collect_variants("model_losses").spec["settings"]
    assert [sorted(row) for row in settings] == [["nets.l1", "variant"]] * 3


def test_codes_without_nets_have_the_rank_of_the_autoencoders():
    base, variant = with_variant(nets={"autoencoder_layers": [32, 8, 32]})
    ranks = [each.studies["autoencoder"].measure_floors().spec["rank"] for each in (base, variant)]
    assert ranks == [16, 8]


def test_claims_are_judged_by_all_tables_that_variants_make():
    base, _ = with_variant(bootstrap_samples=300)
    recipe = base.judge_variants()
    assert recipe.inputs["variants"] == [
        f"results/smoke/tables/variants/{name}.csv" for name in ("beta_flow", "beta_fixed_point")
    ]
    assert recipe.inputs["tables"] == base.judge_claims().inputs["tables"]


@pytest.mark.parametrize(
    ("only", "sentence"),
    [
        ({"tables": ["losses"]}, "variant mine: only.tables names 'losses', which is none of"),
        ({"nets": ["Model-4"]}, "variant mine: only.nets names 'Model-4', which is none of"),
        ({"tables": "convergence"}, "variants.mine.only.tables is 'convergence'; it must be lists"),
        ({"figures": []}, "variants.mine.only is {'figures': \\[\\]}; it must be lists of names"),
        (["convergence"], "variants.mine.only is \\['convergence'\\]; it must be lists of names"),
    ],
)
def test_what_a_variant_cannot_be_asked_for_is_refused_by_name(only, sentence):
    with pytest.raises(ConfigError, match=sentence):
        with_variant(nets={"l1": 1e-4}, only=only)


def test_a_variant_without_any_change_is_refused():
    with pytest.raises(ConfigError, match=r"variants\.mine changes no setting"):
        with_variant(only=ONLY)


def test_variants_are_collected_with_the_settings_that_any_of_them_changes():
    base = Experiment(
        config(
            variants={"cold": {"bootstrap_samples": 300}},
            sweeps={"stop": {"thermometer.stop_mse": [0.01, 0.02]}},
        )
    )
    recipe = base.collect_variants("beta_flow")
    assert [row["variant"] for row in recipe.spec["settings"]] == [
        "base", "cold", "stop_stop_mse=0.01", "stop_stop_mse=0.02",
    ]  # fmt: skip
    assert [row["thermometer.stop_mse"] for row in recipe.spec["settings"]] == [
        0.0035, 0.0035, 0.01, 0.02,
    ]  # fmt: skip
    assert [row["bootstrap_samples"] for row in recipe.spec["settings"]] == [200, 300, 200, 200]
    assert len(recipe.inputs["tables"]) == 4
    assert recipe.inputs["tables"][0] == base.tables["beta_flow"]


def test_numbers_of_members_of_single_nets_are_collected_as_they_count():
    base = Experiment(config(sweeps={"many": {"members_of.thermometer": [3, 4]}}))
    settings = base.collect_variants("thermometer").spec["settings"]
    assert [row["members_of.thermometer"] for row in settings] == [2, 3, 4]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        *(
            ({"variants": {"a": {key: 1}}}, f"variants.a changes {key}, which all variants have")
            for key in ("device", "threads", "jobs_per_gpu", "checkpoint_minutes")
        ),
        ({"variants": {"base": {"L": 12}}}, "variants.base has the name of the experiment itself"),
        ({"variants": {1: {"L": 12}}}, "variants has the name 1, which is no text"),
        ({"sweeps": {None: {"L": [12]}}}, "sweeps has the name None, which is no text"),
        ({"sweeps": {"a": {1: [12]}}}, "sweeps.a has the name 1, which is no text"),
        ({"variants": {"a": {"nets": {"l2": 0.1}}}}, "variants.a: nets.l2 is no key"),
        ({"variants": {"a": {"L": 7}}}, "variants.a: L is 7; it must be an even integer"),
        ({"variants": {"a": {"results_dir": "b"}}}, "variants.a changes results_dir, which all"),
        ({"sweeps": {"a": {"nets.l1": [-1]}}}, "sweeps.a: nets.l1 is -1"),
        ({"sweeps": {"a": {"lattices.critical.beta.x": [1]}}}, "sweeps.a: lattices.critical.beta"),
        ({"sweeps": {"a": {"nets.map": ["x/y"]}}}, "sweeps.a cannot name a folder after"),
        ({"variants": {"A b": {"L": 8}}}, "variants is {'A b'"),
        ({"variants": {"a": {}}}, "variants is {'a': {}}"),
        ({"sweeps": {"a": {"L": 8}}}, "sweeps is {'a': {'L': 8}}"),
        ({"variants": {"a": {"sweeps": {"b": {"L": [8]}}}}}, "variants.a changes sweeps"),
    ],
)
def test_a_variant_that_cannot_be_is_refused_by_name(changes, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("[", r"\[").replace("{", r"\{")):
        variants_of(config(**changes))


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"thermometre": 3}, "members_of names 'thermometre'"),
        ({"CG-64-32": 1}, "members_of is {'CG-64-32': 1}; it must be numbers of members"),
        ({"AE-WR": 4}, "gives thermometer 2 members and AE-WR 4"),
        ({"Model-3": 3}, "gives CG-64-32 2 members and Model-3 3"),
    ],
)
def test_numbers_of_members_that_cannot_be_are_refused(numbers, sentence):
    with pytest.raises(ConfigError) as refused:
        config(members_of=numbers)
    assert sentence in str(refused.value)


def test_members_of_one_net_change_its_own_number_only():
    study = Experiment(config(members_of={"thermometer": 5})).studies["autoencoder"]
    assert len(study.networks("thermometer")) == 5
    assert len(study.networks("AE-WR")) == 2
    assert len(study.beta_flow().inputs["thermometers"]) == 5
    assert "wide_range/thermometer/member-4" in study.lattice_sets()
