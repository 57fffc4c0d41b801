"""What Snakemake's defaults get wrong about staleness, one test for each; here it is right.

The table of these holes was made by trying Snakemake 9.27 itself.
"""

import json
import os
import re
import shutil

import pytest
from cases import TRAIN_NET, assert_exactly
from edits import PROJECT, files, significant

from planning import Planner

pytestmark = pytest.mark.slow

RESULTS = "results/smoke"
# What is made again when the local entropies are.
AFTER_THE_ENTROPY = {
    "local_entropy", "plot_local_entropy", "judge_claims", "plot_claims", "report"
}  # fmt: skip
RULES = sorted(
    path.relative_to(PROJECT).as_posix() for path in (PROJECT / "workflow/rules").glob("*.smk")
)
BIG = ("results/big/lattices/local_entropy.nc", "results/big/certificates/local_entropy.json")
BIG_SETTINGS = {
    "results_dir": "results/big",
    "lattices": {"shards": 2},
    "local_entropy": {
        "beta_min": 0.02, "beta_max": 0.03, "number_of_betas": 2, "lattices_per_beta": 50_000
    },
}  # fmt: skip
PARAMS = re.compile(r"^    params:\n((?:^        .*\n|^\n)+)", re.MULTILINE)
CONDA = """#!/bin/sh
case "$*" in
  --version) echo conda 25.7.0 ;;
  *info*) echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
esac
"""


class Copy:
    """A copy of the finished run to edit, damage and run."""

    def __init__(self, run, folder):
        self.path = folder
        self.snakemake = run.copied(folder)
        self._scratch = folder.parent
        self._planner = None

    def run(self, *targets, settings=None):
        """Really make some files."""
        changes = self._scratch / "settings.json"
        changes.write_text(json.dumps(settings or {}))
        done = self.snakemake.smoke(*targets, changes=[changes])
        assert done.returncode == 0, done.stdout
        return done.stdout

    def plan(self, *arguments, **changes):
        """The jobs that would run."""
        if self._planner is None:
            self._planner = Planner(self.path, self._scratch)
        return self._planner.plan(*arguments, **changes)

    def edit(self, name, change):
        path = self.path / name
        text = path.read_text()
        assert change(text) != text
        path.write_text(change(text))

    def close(self):
        if self._planner is not None:
            self._planner.close()


@pytest.fixture
def copy(smoke_run, tmp_path):
    made = Copy(smoke_run, tmp_path / "copy")
    yield made
    made.close()


def rules(plan):
    return {job.rule for job in plan}


def at_start_of_main(lines):
    """An edit of a stage: these lines run first when its main is called."""

    def change(text):
        head, docstring_end, rest = re.match(
            r'(.*?\ndef main\(.*?"""[^"]*)("""\n)(.*)', text, re.DOTALL
        ).groups()
        return head + docstring_end + "".join(f"    {line}\n" for line in lines) + rest

    return change


def test_an_edited_module_is_noticed_in_every_stage_that_imports_it(planners):
    name = "workflow/coarsegrain/analysis/entropy.py"
    plan = planners.submit(edits={name: significant(name)}).result()
    assert rules(plan) == AFTER_THE_ENTROPY


def test_touched_code_rules_and_config_make_nothing_stale(recording, planners):
    touched = [*files(), *RULES, "Snakefile", "workflow/Snakefile", "config.yaml"]
    plan = planners.submit(edits=dict.fromkeys(touched, lambda text: text)).result()
    assert_exactly(plan, set(), recording)


def test_a_stage_edited_with_its_time_kept_is_noticed(copy):
    stage = copy.path / "workflow/stages/autoencoder/plot_local_entropy.py"
    state = stage.stat()
    copy.edit(
        "workflow/stages/autoencoder/plot_local_entropy.py",
        lambda text: text + "\n_EDITED = True\n",
    )
    os.utime(stage, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert rules(copy.plan()) == {"plot_local_entropy", "report"}


def test_what_was_made_while_its_code_was_edited_is_stale_and_then_is_not(copy):
    target = f"{RESULTS}/tables/model_losses.csv"
    stage = "workflow/stages/autoencoder/collect_losses.py"
    copy.edit(
        stage,
        at_start_of_main(
            [
                "with open(__file__, 'r+') as own:",
                "    if '_EDITED = ' + 'True' not in own.read():",
                "        own.write('\\n_EDITED = ' + 'True\\n')",
            ]
        ),
    )
    copy.run(target)
    assert "_EDITED = True" in (copy.path / stage).read_text()
    assert rules(copy.plan(target)) == {"collect_losses"}
    copy.run(target)
    assert copy.plan(target) == []


def test_code_that_was_edited_between_plan_and_job_is_the_code_that_counts(copy):
    # the first of two jobs edits the stage of the second, which was planned with the code before
    target, stage = (
        f"{RESULTS}/figures/certificates.pdf",
        "workflow/stages/lattices/plot_certificates.py",
    )
    copy.edit(
        "workflow/stages/lattices/collect_certificates.py",
        at_start_of_main(
            [f"with open({stage!r}, 'a') as other:", "    other.write('\\n_EDITED = True\\n')"]
        ),
    )
    copy.edit(stage, lambda text: text + "\n_BEFORE = True\n")  # so that both jobs run
    planned = (copy.path / stage).read_text()
    copy.run(target)
    assert (copy.path / stage).read_text() != planned
    assert copy.plan(target) == []  # it was made by the code that is there
    (copy.path / stage).write_text(planned)
    assert rules(copy.plan(target)) == {"plot_certificates"}  # and not by this


def test_one_of_two_equal_values_is_noticed(planners):
    # in this training's spec member and threads are both 1
    target = f"{RESULTS}/nets/Model-1/member-1.losses.csv"
    plan = planners.submit(target, settings={"threads": 2}).result()
    assert rules(plan) == {TRAIN_NET, "evaluate_model"}


def test_two_values_that_are_swapped_are_noticed(planners):
    # of rule describe_models, whose spec has L = 8 and thermometer_hidden = 32
    target = f"{RESULTS}/tables/model_architectures.csv"
    swapped = {"L": 32, "thermometer": {"hidden": 8}}
    assert rules(planners.submit(target, settings=swapped).result()) == {"describe_models"}


def test_without_snakemakes_folder_nothing_is_stale_and_a_changed_setting_makes_stale_the_same(
    recording, copy, planners
):
    shutil.rmtree(copy.path / ".snakemake")
    assert_exactly(copy.plan(), set(), recording)
    changed = {"local_entropy": {"autoencoder_image": "rescale"}}
    plan = copy.plan(settings=changed)
    assert rules(plan) == AFTER_THE_ENTROPY
    every = copy.plan(settings={"seed": 1})
    with_its_folder = planners.submit(settings={"seed": 1}).result()
    assert_exactly(every, {recording.name_of(job.outputs) for job in with_its_folder}, recording)


def test_a_changed_setting_is_noticed_also_if_it_reaches_only_files_that_were_deleted(
    recording, copy
):
    for path in (copy.path / RESULTS / "lattices").rglob("*.nc"):
        if "critical" in path.relative_to(copy.path).as_posix():
            path.unlink()
    assert_exactly(copy.plan(), set(), recording)  # their sidecars agree
    changed = {"lattices": {"critical": {"beta": 0.3}}}
    plan = copy.plan(settings=changed)
    assert {"sample_lattices", TRAIN_NET, "evaluate_model", "judge_claims"} <= rules(plan)
    table = f"{RESULTS}/tables/model_losses.csv"
    assert copy.plan(table) == []
    (copy.path / RESULTS / "lattices/critical_test.nc.prov.json").unlink()
    assert "evaluate_model" in rules(copy.plan(table))  # nobody knows what the lattices were


def test_touched_results_make_nothing_stale(recording, copy):
    for path in (copy.path / "results").rglob("*"):
        if path.is_file():
            os.utime(path, (2_000_000_000 if path.suffix == ".nc" else 1_000_000_000,) * 2)
    assert_exactly(copy.plan(), set(), recording)


@pytest.fixture(scope="module")
def big(smoke_run, tmp_path_factory):
    """A copy with lattices of more than a megabyte, joined from two shards, and their certificate.

    The shards themselves are temporary: gone when their lattices are there.
    """
    made = Copy(smoke_run, tmp_path_factory.mktemp("big") / "copy")
    lattices, certificate = BIG
    made.run(lattices, certificate, settings=BIG_SETTINGS)
    assert (made.path / lattices).stat().st_size > 1_000_000
    assert not list((made.path / lattices).parent.glob("*.shard-*"))
    yield made
    made.close()


def test_a_touched_input_of_more_than_a_megabyte_makes_nothing_stale(big):
    os.utime(big.path / BIG[0])
    assert big.plan(*BIG, settings=BIG_SETTINGS) == []


def test_lattices_are_stale_when_the_code_that_drew_their_shards_is_edited(big):
    name = "workflow/stages/lattices/sample_shard.py"
    plan = big.plan(*BIG, settings=BIG_SETTINGS, edits={name: significant(name)})
    assert sorted(job.rule for job in plan) == [
        "certify_lattices", "sample_lattices", "sample_shard", "sample_shard",
    ]  # fmt: skip


def test_what_was_made_again_with_the_same_bytes_makes_nothing_stale(recording, copy):
    name = "workflow/stages/autoencoder/hard_code_weights.py"
    nets = [f"{RESULTS}/nets/HCG-{size}/hard_coded.safetensors" for size in ("64-32", "32-16")]
    before = [(copy.path / net).read_bytes() for net in nets]
    copy.edit(name, significant(name))
    assert rules(copy.plan(*nets)) == {"hard_code_weights"}
    assert "transfer_weights" in rules(copy.plan())  # nobody knows yet what will come out
    copy.run(*nets)
    assert [(copy.path / net).read_bytes() for net in nets] == before
    assert_exactly(copy.plan(), set(), recording)


def test_pythons_hash_seed_decides_nothing(recording, copy, tmp_path):
    commands = []
    for seed in ("1", "2"):
        planner = Planner(copy.path, tmp_path, PYTHONHASHSEED=seed)
        try:
            assert_exactly(planner.plan(), set(), recording)
            commands.append({job.command for job in planner.plan("--forceall")})
        finally:
            planner.close()
    assert commands[0] == commands[1]


@pytest.mark.parametrize("options", [("--cores=7",), ("--default-resources", "mem_mb=500")])
def test_how_many_jobs_run_and_with_what_decides_nothing(recording, planners, options):
    assert_exactly(planners.submit(*options).result(), set(), recording)


def test_conda_decides_nothing(recording, copy, tmp_path):
    conda = tmp_path / "bin" / "conda"  # Snakemake asks it who it is, also in a dry run
    conda.parent.mkdir()
    conda.write_text(CONDA)
    conda.chmod(0o755)
    path = os.pathsep.join([str(conda.parent), os.environ["PATH"]])
    planner = Planner(copy.path, tmp_path, PATH=path)
    try:
        assert_exactly(planner.plan("--sdm", "conda"), set(), recording)
        changed = {"local_entropy": {"autoencoder_image": "rescale"}}
        stale = planner.plan("--sdm", "conda", settings=changed)
        assert rules(stale) == AFTER_THE_ENTROPY
    finally:
        planner.close()


def test_a_stale_job_is_selected_at_once_also_if_only_its_certificate_is_made_again(planners):
    # Snakemake asks no job that follows one to run, and an ancient input does not make it run
    name = "workflow/coarsegrain/ising/exact.py"
    plan = planners.submit(edits={name: significant(name)}).result()
    assert {"certify_lattices", "measure_exact_thermometers", "plot_certificates"} <= rules(plan)
    assert not rules(plan) & {"sample_lattices", TRAIN_NET, "local_entropy"}


def test_members_are_stale_when_the_code_that_trained_them_together_is_edited(copy):
    targets = [f"{RESULTS}/nets/CG-32-16/member-{k}.safetensors" for k in "01"]
    name, together = "workflow/stages/autoencoder/train_members.py", {"members_per_job": 2}
    for target in targets:
        (copy.path / target).unlink()
    copy.run(*targets, settings=together)
    assert copy.plan(*targets, settings=together) == []
    plan = copy.plan(*targets, settings=together, edits={name: significant(name)})
    assert rules(plan) == {"train_members", TRAIN_NET}
    assert len(plan) == 3


@pytest.mark.parametrize("name", RULES)
def test_params_follow_from_config_and_wildcards_alone(name):
    # Snakemake does not track functions of input, output, threads or resources
    for block in PARAMS.findall((PROJECT / name).read_text()):
        assert re.match(r"\s+(\*\*stage\(|stage=\"\",)", block), block
        assert "lambda" not in block
