"""Other workflows import this one: the examples of docs/reuse.md, run as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from checkouts import KERNELS, PROJECT, Checkout
from waiting import LIMIT

SMOKE = yaml.safe_load((PROJECT / "workflow/presets/smoke.yaml").read_text())
EXAMPLES = dict(
    re.findall(
        r"^`([\w/.]+)`:\n```\w+\n(.*?)^```$",
        (PROJECT / "docs/reuse.md").read_text(),
        flags=re.MULTILINE | re.DOTALL,
    )
)
# What shows the environment that a stage runs in, in place of one that takes no inputs.
ENVIRONMENT_STAGE = """
import json, os, sys
path = sys.argv[sys.argv.index("--table") + 1]
told = {**os.environ, "executable": sys.executable}
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as file:
    json.dump(told, file)
"""
CONDA_FILES_ARE_FOUND = """
for each in workflow.rules:
    if each.conda_env:
        assert workflow.sourcecache.exists(each.basedir.join(each.conda_env)), each
"""


def snakemake(folder, *arguments, **environment):
    ours = ("COARSEGRAIN_KERNEL_CACHE", "NUMBA_CACHE_DIR")  # of the tests themselves
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**inherited, "COLUMNS": "200", "NO_COLOR": "1", **environment},
    )


def written(folder, names):
    """The examples in files of these names, below ``folder``."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(EXAMPLES[name])
    return folder / Path(names[0]).parts[0]


def over_example(folder, **changes):
    """Options that lay a config file over that of the example: the smoke preset, changed."""
    path = folder / "over.yaml"
    settings = {key: value for key, value in SMOKE.items() if key != "results_dir"}
    path.write_text(json.dumps({"coarsegrain": {**settings, **changes}}))
    return "--configfile", path


def pending(told):
    """The outputs that would be made, by ``--summary``."""
    lines = [line.split("\t") for line in told.splitlines()]
    return {line[0] for line in lines if line[-1] == "update pending"}


def importing(folder, text):
    """A folder beside a checkout, with a Snakefile of ``text``."""
    Checkout.at(folder / "coarsegrain")
    (folder / "mine").mkdir()
    (folder / "mine/Snakefile").write_text(text)
    return folder / "mine"


@pytest.fixture(scope="module")
def example(tmp_path_factory, smoke_run):
    """The example of docs/reuse.md, run at the smoke preset's scale."""
    folder = tmp_path_factory.mktemp("example")
    (folder / "coarsegrain").symlink_to(smoke_run.path)
    mine = written(folder, ["mine/workflow/Snakefile", "mine/config/config.yaml"])
    # compiled from the same files, so there is no need to wait for that again
    shutil.copytree(smoke_run.path / KERNELS, mine / KERNELS)
    Checkout(mine).take_second_members(smoke_run, "results/ising")
    before = files_of(smoke_run.path)
    run = snakemake(mine, *over_example(folder))
    assert run.returncode == 0, run.stdout
    assert files_of(smoke_run.path) == before
    assert "Model-1/member-0" in run.stdout
    assert ": autoencoder.train_net Model-1 1" not in run.stdout  # it was taken
    return mine


def files_of(folder):
    return {path for path in folder.rglob("*") if path.suffix != ".pyc" and path.is_file()}


@pytest.mark.slow
def test_imported_rules_give_the_tables_of_the_workflow_itself(example, smoke_run):
    assert Checkout(example).tables("results/ising") == smoke_run.tables()
    assert (example / "results/fixed_points.txt").read_text().startswith("source,beta_star\n")


@pytest.mark.slow
def test_imported_rules_do_nothing_in_a_second_run(example):
    run = snakemake(example, *over_example(example.parent))
    assert "Nothing to be done" in run.stdout, run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"nets": {"l1": 1e-4}}, {"lattices": {"shards": 2}}])
def test_a_changed_setting_makes_the_same_again_as_in_the_workflow_itself(
    example, smoke_run, tmp_path, changes
):
    merged = {key: {**SMOKE.get(key, {}), **value} for key, value in changes.items()}
    there = snakemake(example, *over_example(tmp_path, **merged), "--summary")
    (tmp_path / "changes.yaml").write_text(json.dumps(changes))
    here = smoke_run.smoke("--summary", changes=[tmp_path / "changes.yaml"])
    made = pending(here.stdout)
    assert "results/smoke/report.html" in made
    assert {path.replace("/smoke/", "/ising/") for path in made} == {
        path for path in pending(there.stdout) if path.startswith("results/ising/")
    }


@pytest.mark.slow
def test_reports_of_both_workflows_hold_every_figure(example):
    run = snakemake(example, *over_example(example.parent), "--report", "mine.html")
    assert run.returncode == 0, run.stdout
    figures = [path.name for path in (example / "results/ising/figures").glob("*.png")]
    assert len(figures) >= 10
    for report, front_page in (("results/ising/report.html", True), ("mine.html", False)):
        text = (example / report).read_text()
        assert [name for name in figures if name not in text] == []
        assert ("Open <strong>Results" in text) == front_page


@pytest.mark.slow
def test_imports_share_no_settings_with_each_other_or_with_the_importing_rules(tmp_path):
    mine = importing(
        tmp_path,
        """
rule all:
    input:
        "own.txt", "one/tables/model_architectures.csv", "two/tables/model_architectures.csv",

module first:
    snakefile: "../coarsegrain/workflow/Snakefile"
    config: {"results_dir": "one"}

module second:
    snakefile: "../coarsegrain/workflow/Snakefile"
    config: {"results_dir": "two", "threads": 2}

use rule * from first as first_*
use rule * from second as second_*

rule own:
    output: "own.txt"
    shell: "env > {output}"
"""
        + CONDA_FILES_ARE_FOUND,
    )
    # of the names that stages have in coarsegrain, but here
    for name in ("stages", "pipeline", "coarsegrain"):
        (mine / name).mkdir()
        (mine / name / "__init__.py").write_text("raise ImportError('not this one')")
    stage = tmp_path / "coarsegrain/workflow/stages/autoencoder/describe_models.py"
    stage.write_text(ENVIRONMENT_STAGE)
    run = snakemake(mine, OMP_NUM_THREADS="3", PATH=os.defpath)
    assert run.returncode == 0, run.stdout
    runs = mine / ".snakemake/runs"
    locked = {str(path.parent.relative_to(runs)) for path in runs.rglob("run.lock")}
    assert locked == {"one", "two", "."}
    for results, threads in (("one", "1"), ("two", "2")):
        told = json.loads((mine / results / "tables/model_architectures.csv").read_text())
        assert told["PYTHONPATH"] == str(stage.parents[2].resolve())
        assert told["NUMBA_CACHE_DIR"].startswith(str(mine.resolve() / ".snakemake"))
        assert {told[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS")} == {threads}
        assert told["executable"] == sys.executable
    own = dict(line.split("=", 1) for line in (mine / "own.txt").read_text().splitlines()
               if "=" in line)  # fmt: skip
    assert own["PATH"] == os.defpath
    assert not own.keys() & {"PYTHONSAFEPATH", "NUMBA_CACHE_DIR", "COARSEGRAIN_KERNEL_CACHE"}
    assert own.get("PYTHONPATH") == os.environ.get("PYTHONPATH")


@pytest.mark.slow
def test_a_deployed_release_runs_out_of_its_repository(tmp_path):
    repository = tmp_path / "repositories/owner/coarsegrain"
    repository.mkdir(parents=True)
    Checkout.at(repository)
    shutil.copytree(PROJECT / "config", repository / "config", symlinks=True)
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@y.z"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v0.1.0"]):
        subprocess.run([*git, *command], check=True)
    mine = written(tmp_path, ["deployed/workflow/Snakefile"])
    with (mine / "workflow/Snakefile").open("a") as file:
        file.write(CONDA_FILES_ARE_FOUND)
    shutil.copytree(repository / "config", mine / "config")  # as Snakedeploy does
    assert (mine / "config/config.yaml").read_bytes() == (PROJECT / "config.yaml").read_bytes()
    table = "results/laptop/tables/model_architectures.csv"
    offline = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/repositories/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    run = snakemake(mine, table, **offline)
    assert run.returncode == 0, run.stdout
    assert (mine / table).is_file()
    (unpacked,) = (mine / ".snakemake/coarsegrain").iterdir()
    assert (unpacked / "workflow/stages/autoencoder/describe_models.py").is_file()
    again = snakemake(mine, table, **offline)
    assert "Nothing to be done" in again.stdout, again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "arguments", "told"),
    [
        ("", 'prefix: "there"', "set results_dir in its config instead."),
        ("", 'replace_prefix: {"results/": "there/"}', "set results_dir in its config instead."),
        ("import pipeline", "", "needs its own Python package pipeline, but another is already"),
        ("", 'config: {"samples": "a.tsv"}', "samples is no key of the config"),
        ("", 'config: {"L": 7}', "L is 7; it must be an even integer from 4 to 1024."),
        ("", 'config: {"results_dir": "."}', "results_dir is '.', which is or contains"),
        ("", "config: 5", "the config is 5, not a list of `key: value` lines"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(tmp_path, before, arguments, told):
    text = f"""
{before}
module coarsegrain:
    snakefile: "../coarsegrain/workflow/Snakefile"
    {arguments}

use rule * from coarsegrain as cg_*
"""
    mine = importing(tmp_path, text)
    (mine / "pipeline.py").touch()
    run = snakemake(mine, "--dry-run")
    assert run.returncode != 0
    assert told in run.stdout
    assert "Traceback" not in run.stdout


def test_every_setting_is_in_the_table_of_the_config_folder_with_its_default():
    schema = json.loads((PROJECT / "workflow/schemas/config.schema.json").read_text())
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())

    def rows(schema, config, prefix=""):
        for key, each in schema["properties"].items():
            if "properties" in each:
                yield from rows(each, config[key], f"{prefix}{key}.")
            else:
                default = json.dumps(config[key]).strip('"')
                cells = (f"`{prefix}{key}`", each["description"], each["allowed"], f"`{default}`")
                yield f"| {' | '.join(cells)} |"

    _, _, table = (PROJECT / "config/README.md").read_text().partition("|---|---|---|---|\n")
    assert table.splitlines() == list(rows(schema, config))


def test_the_config_folder_holds_no_second_copy_of_the_settings():
    assert (PROJECT / "config/config.yaml").samefile(PROJECT / "config.yaml")


def test_the_catalog_of_workflows_finds_what_it_asks_for():
    catalog = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text())
    assert catalog["usage"]["software-stack-deployment"]["conda"] is True
    readme = (PROJECT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    for path in ("workflow/Snakefile", "config/README.md", "LICENSE"):
        assert (PROJECT / path).is_file()
