"""A changed setting makes stale the jobs that really read what follows from it: no more, no less.

Which job reads which key of its spec is from a recording. That a key of the config goes into these
keys of specs is written here by hand, and the table has every key that the schema has.
"""

import json
import re
from dataclasses import dataclass

import pytest
import yaml
from cases import NewSetting, VariantOf, assert_exactly
from edits import PROJECT

from coarsegrain.device import missing_for_a_gpu
from pipeline.studies.variants import FIXED

pytestmark = pytest.mark.slow

# The stage of rule report, the only one that its rule is not named after.
REPORT = "write_report"
# What `device: auto` is on this machine.
HERE = "cpu" if missing_for_a_gpu(("cupy",)) or missing_for_a_gpu() else "cuda"
# Whose jobs: a pattern of their outputs.
ANY = r""
SPIN_NETS = r"/nets/(?!thermometer/)"
SHALLOW = r"/nets/(CG|UP)-"
DEEP = r"/nets/(Model|AE)-"
# nothing is trained in a net whose layers are all transferred or hard-coded
TRAINED = r"/nets/(?!thermometer/|HCG-|Model-3)"
FREE_AUTOENCODERS = r"/nets/(Model-1|AE-WR)/"
THERMOMETER = r"/nets/thermometer/"
CRITICAL = r"/lattices/critical"
WIDE_RANGE = r"/lattices/wide_range"
# at the same β; what calibrates thermometer R is at others
OF_THE_THERMOMETER = r"/lattices/(thermometer|doubled)_test"
OF_ALL_THERMOMETERS = r"/lattices/(thermometer_test|doubled_test|distant_reference)"
# those of two sets are always the hybrid's, since thermometer R needs ordered spins
OF_ANY_METHOD = r"/lattices/(?!doubled_test|distant_reference)"
FLOORS = r"/tables/loss_floors"
OF_THE_ENTROPY = r"/lattices/local_entropy"


@dataclass(frozen=True)
class Change:
    """Another valid value, and what of the specs it changes.

    Attributes:
        value: of the key.
        reaches: keys of specs, and a pattern of the outputs of the jobs whose specs are meant.
        along: settings that have to change with it for the config to be valid.
    """

    value: object
    reaches: tuple[tuple[str, str], ...]
    along: tuple[tuple[str, object], ...] = ()


def reaching(value, *reaches, along=()):
    pairs = ((each, ANY) if isinstance(each, str) else each for each in reaches)
    return Change(value, tuple(pairs), along)


NOTHING = ()  # the report keeps the whole config, so it is always written again
CHANGES = {
    "seed": reaching(1, "seed", "start_seed", "shuffling_seed"),
    "precision": reaching("float64", "precision"),
    "threads": reaching(2, "threads"),
    "members_per_job": reaching(2, *NOTHING),
    "checkpoint_minutes": reaching(1, *NOTHING),
    "jobs_per_gpu": reaching(2, *NOTHING),
    "lattices.method": reaching(
        "exact",
        ("method", OF_ANY_METHOD),
        ("betas.grid", OF_THE_THERMOMETER),
        # colder lattices are refused; this reaches no other job
        along=(("lattices.wide_range.beta_max", 0.44), ("local_entropy.beta_max", 0.44)),
    ),
    "lattices.steps": reaching(500, "steps"),
    "lattices.shards": reaching(3, *NOTHING),
    "lattices.critical.beta": reaching(0.43, "betas.constant"),
    "lattices.critical.number": reaching(410, ("betas.number", CRITICAL)),
    "lattices.wide_range.beta_min": reaching(
        0.02, "betas.uniform", ("betas.grid", OF_THE_THERMOMETER)
    ),
    "lattices.wide_range.beta_max": reaching(
        0.59, "betas.uniform", ("betas.grid", OF_THE_THERMOMETER)
    ),
    "lattices.wide_range.number": reaching(410, ("betas.number", WIDE_RANGE)),
    "lattices.test_fraction": reaching(
        0.25, ("betas.number", CRITICAL), ("betas.number", WIDE_RANGE)
    ),
    "lattices.validation_fraction": reaching(0.25, "validation_fraction"),
    "nets.map": reaching("majority", "map"),
    "nets.activation": reaching("tanh", "activation", ("activations", SPIN_NETS)),
    "nets.loss": reaching("mse", ("settings.loss", SPIN_NETS), "loss"),
    "nets.l1": reaching(1e-4, ("settings.l1", SPIN_NETS), ("l1", TRAINED)),
    "nets.autoencoder_layers": reaching(
        [20, 10, 20], ("sizes", FREE_AUTOENCODERS), "autoencoder_layers", ("rank", FLOORS)
    ),
    "nets.learning_rate": reaching(2e-3, "settings.learning_rate"),
    "nets.adam_betas": reaching([0.8, 0.999], "settings.adam_betas"),
    "nets.adam_epsilon": reaching(1e-6, "settings.adam_epsilon"),
    "nets.batch_size": reaching(10, ("settings.batch_size", SPIN_NETS)),
    "nets.epochs.shallow": reaching(11, ("settings.epochs", SHALLOW)),
    "nets.epochs.deep": reaching(11, ("settings.epochs", DEEP)),
    "nets.stopping": reaching("plateau", ("settings.epochs", SPIN_NETS)),
    # these have a meaning only where stopping is "plateau"
    "nets.plateau.epochs": reaching(7, *NOTHING),
    "nets.plateau.tolerance": reaching(1e-2, *NOTHING),
    "thermometer.hidden": reaching(16, ("sizes", THERMOMETER), "thermometer_hidden"),
    "thermometer.batch_size": reaching(10, ("settings.batch_size", THERMOMETER)),
    "thermometer.stop_mse": reaching(0.01, "settings.stop_at_loss"),
    "thermometer.max_epochs": reaching(19, ("settings.epochs", THERMOMETER)),
    "thermometer.test.number_of_betas": reaching(12, ("betas.grid", OF_THE_THERMOMETER)),
    "thermometer.test.lattices_per_beta": reaching(22, ("betas.each", OF_ALL_THERMOMETERS)),
    "local_entropy.beta_min": reaching(0.03, ("betas.grid", OF_THE_ENTROPY)),
    "local_entropy.beta_max": reaching(0.49, ("betas.grid", OF_THE_ENTROPY)),
    "local_entropy.number_of_betas": reaching(21, ("betas.grid", OF_THE_ENTROPY)),
    "local_entropy.lattices_per_beta": reaching(12, ("betas.each", OF_THE_ENTROPY)),
    "local_entropy.autoencoder_image": reaching("rescale", "autoencoder_image"),
    "bootstrap_samples": reaching(300, "bootstrap_samples"),
}
# Of study B, of which the smoke preset makes nothing: tests/pipeline/studies/test_rbm.py.
OF_MACHINES = {
    "rbm.L": 12,
    "rbm.beta": 0.43,
    "rbm.lattices": 210,
    "rbm.test_lattices": 110,
    "rbm.hidden": 20,
    "rbm.kernel": 3,
    "rbm.batch": 10,
    "rbm.chains": 10,
    "rbm.gibbs_steps": 2,
    "rbm.learning_rate.tied": 2e-3,
    "rbm.learning_rate.free": 2e-3,
    "rbm.l1": 2e-2,
    "rbm.updates.tied": 41,
    "rbm.updates.free": 41,
    "rbm.ring.rings": 110,
    "rbm.ring.steps": 210,
    "rbm.likelihood.ais_chains": 17,
    "rbm.likelihood.ais_steps": 101,
    "rbm.likelihood.bar_chains": 17,
    "rbm.exponents.L": 12,
    "rbm.exponents.lattices": 110,
    "rbm.exponents.shifts": 2,
    "rbm.flow.betas": 5,
    "rbm.flow.lattices_per_beta": 22,
}
# Of study C: tests/pipeline/studies/test_neuralrg.py.
OF_FLOWS = {
    "neuralrg.L": 8,
    "neuralrg.beta": 0.43,
    "neuralrg.lattices": 110,
    "neuralrg.test_lattices": 210,
    "neuralrg.samples": 210,
    "neuralrg.information.samples": 110,
    "neuralrg.couplings": 3,
    "neuralrg.hidden": 6,
    "neuralrg.bins": 3,
    "neuralrg.passes": "sites",
    "neuralrg.steps": 41,
    "neuralrg.batch": 64,
    "neuralrg.learning_rate": 2e-3,
    "neuralrg.likelihood": 0.25,
    "neuralrg.ingredients.whitening": False,
    "neuralrg.ingredients.modes": False,
    "neuralrg.ingredients.splines": False,
    "neuralrg.ingredients.window": 4,
    "neuralrg.ingredients.mean": False,
    "neuralrg.ingredients.path_gradients": False,
    "neuralrg.fit_mean": True,
    "neuralrg.grown_from": 4,
    "neuralrg.patches.couplings": 3,
    "neuralrg.patches.hidden": 5,
    "neuralrg.patches.depth": 1,
    "neuralrg.patches.steps": 21,
    "neuralrg.patches.batch": 64,
    "neuralrg.patches.learning_rate": 2e-3,
    "neuralrg.patches.weight_decay": 0,
    "neuralrg.sampling.chains": 12,
    "neuralrg.sampling.trajectories": 210,
    "neuralrg.sampling.leapfrogs": 5,
    "neuralrg.sampling.proposals": 1100,
}
# Their own tests say what they change: there are then jobs that no recording has.
OF_OTHER_JOBS = {
    "results_dir": "results/other",
    "studies": ["rbm"],
    "device": "cuda",  # tests/pipeline/gpus/test_auto.py
    **OF_MACHINES,
    **OF_FLOWS,
    "L": 12,
    "members": 3,
    "members_of": {"thermometer": 3},
    "variants": {"a": {"bootstrap_samples": 300}},
    "sweeps": {"a": {"bootstrap_samples": [300]}},
}


def case_of(key):
    if key in OF_OTHER_JOBS:
        return NewSetting(key, json.dumps({key: OF_OTHER_JOBS[key]}))
    return NewSetting(key, json.dumps({key: CHANGES[key].value, **dict(CHANGES[key].along)}))


def leaves(section, prefix=""):
    """Dotted keys and values."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def keys_of_schema(schema, prefix=""):
    for key, each in schema["properties"].items():
        if "properties" in each:
            yield from keys_of_schema(each, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_the_table_has_every_key_of_the_config_and_changes_its_value():
    schema = json.loads((PROJECT / "workflow/schemas/config.schema.json").read_text())
    default = yaml.safe_load((PROJECT / "config.yaml").read_text())
    preset = yaml.safe_load((PROJECT / "workflow/presets/smoke.yaml").read_text())
    values = dict(leaves(default)) | dict(leaves(preset))
    table = {key: change.value for key, change in CHANGES.items()} | OF_OTHER_JOBS
    assert sorted(table) == sorted(keys_of_schema(schema)) == sorted(values)
    assert [key for key, value in table.items() if value == values[key]] == []


def that_read(recording, key):
    """The jobs whose specs a changed setting changes."""
    reaches = CHANGES[key].reaches
    for each, _ in reaches:  # a misspelt key would expect nothing
        assert recording.jobs_where(lambda job, each=each: each in job.used)
    return recording.jobs_where(
        lambda job: any(
            each in job.used and any(re.search(whose, output) for output in job.outputs)
            for each, whose in reaches
        )
    )


@pytest.mark.parametrize("case", [case_of(key) for key in CHANGES], ids=str)
def test_a_changed_setting_makes_stale_what_reads_it_and_what_follows(recording, plans, case):
    stale = that_read(recording, case.key)
    expected = recording.with_downstream(stale | {recording.report.name})
    assert_exactly(plans(case), expected, recording)


@pytest.mark.parametrize(
    "case", [VariantOf(case_of(key)) for key in CHANGES if key not in FIXED], ids=str
)
def test_a_variant_makes_what_its_setting_would_make_stale_and_shares_the_rest(
    recording, plans, case
):
    """What the experiment itself would make again, below the variant's folder; but no figures."""
    stale = recording.with_downstream(that_read(recording, case.key))
    tables = re.compile(r"results/smoke/(?!figures/|tables/claims|report|config)")
    own = {name for name in stale if tables.match(name)}
    expected = {name.replace("results/smoke/", "results/smoke/variants/a/") for name in own}
    made = {output for job in recording.jobs if job.name in own for output in job.outputs}
    collected = {path.replace("/tables/", "/tables/variants/") for path in made}
    expected |= {path for path in collected if "/tables/variants/" in path}
    expected |= {"results/smoke/tables/variants/claims.csv"} if own else set()
    assert_exactly(plans(case), expected, recording)


@pytest.mark.parametrize("case", [case_of(key) for key in ("variants", "sweeps")], ids=str)
def test_variants_make_nothing_of_the_experiment_itself_stale_but_the_report(
    recording, plans, case
):
    assert_exactly(plans(case), {recording.report.name}, recording)


@pytest.mark.parametrize("case", [NewSetting("device", json.dumps({"device": HERE}))], ids=str)
def test_device_auto_and_what_it_is_here_are_the_same(recording, plans, case):
    assert_exactly(plans(case), set(), recording)


@pytest.mark.parametrize("case", [case_of("L")], ids=str)
def test_another_size_of_the_lattices_makes_everything_stale(recording, planners, plans, case):
    every = planners.submit("--forceall", **case.changes()).result()
    assert {job.stage for job in recording.jobs} - {""} <= {job.rule for job in every} | {REPORT}
    assert_exactly(plans(case), {recording.name_of(job.outputs) for job in every}, recording)


@pytest.mark.parametrize("case", [case_of("results_dir")], ids=str)
def test_in_another_results_folder_everything_is_made(recording, plans, case):
    expected = {
        name.replace("results/smoke/", "results/other/") for name in recording.jobs_where(bool)
    }
    told = {min(job.outputs).replace("config.json", "report.html") for job in plans(case)}
    assert told == {name.replace("config.json", "report.html") for name in expected}


@pytest.mark.parametrize("case", [case_of("members"), case_of("members_of")], ids=str)
def test_one_more_member_makes_its_own_jobs_and_what_is_made_from_all_members(
    recording, plans, case
):
    whose = r"/thermometer/member-1\b" if case.key == "members_of" else r"/member-1\b"
    last = recording.jobs_where(lambda job: re.search(whose, job.name))
    of_all = recording.with_downstream(last) - last
    added = {re.sub(r"/member-1\b", "/member-2", name) for name in last}
    assert_exactly(plans(case), added | of_all, recording)


def test_the_order_of_the_config_decides_nothing(recording, planners):
    def reversed_(section):
        return {
            key: reversed_(value) if isinstance(value, dict) else value
            for key, value in reversed(section.items())
        }

    def turned(text):
        return yaml.safe_dump(reversed_(yaml.safe_load(text)), sort_keys=False)

    plan = planners.submit(edits={"config.yaml": turned}).result()
    assert_exactly(plan, set(), recording)
