"""What the documents name is there, and common code names no study."""

import re

import pytest
import yaml

from checkouts import PROJECT
from pipeline.config import validated
from pipeline.defaults import laid_over_defaults
from pipeline.studies.experiment import Experiment

WORKFLOW = PROJECT / "workflow"
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "config/*.md", "envs/*.md", "results/README.md")
    for path in PROJECT.glob(pattern)
)
# Those that tell how things are now; others also tell how they were.
CURRENT = [
    PROJECT / each
    for each in (
        "README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/cluster.md", "docs/reuse.md",
        "config/README.md", "results/README.md", "envs/README.md",
    )
]  # fmt: skip
PACKAGES = ("coarsegrain", "pipeline", "stages")
# Below the project's root, and below workflow/.
FOLDERS = {
    PROJECT: ("workflow", "docs", "tests", "envs", "profiles", "benchmarks", "config"),
    WORKFLOW: (*PACKAGES, "rules", "report", "claims", "presets", "schemas"),
}
STUDIES = re.compile(r"\b(autoencoder|rbm|neuralrg)\b", re.IGNORECASE)
# Files of the pipeline that are a study's by their subject: what its settings may be together.
OF_STUDIES = ("pipeline/combinations.py",)
COMMON = sorted(
    path
    for pattern in (
        "Snakefile", "rules/*.smk", "stages/*.py", "pipeline/**/*.py",
        "coarsegrain/figures/style.py", "coarsegrain/figures/claims.py",
        "coarsegrain/analysis/claim*.py",
    )
    for path in WORKFLOW.glob(pattern)
    if WORKFLOW / "pipeline/studies" not in path.parents
    and path.relative_to(WORKFLOW).as_posix() not in OF_STUDIES
    and not (path.suffix == ".smk" and STUDIES.fullmatch(path.stem))
)  # fmt: skip


def name_of(path):
    return path.relative_to(PROJECT).as_posix()


def code_in(document):
    """What a document has between backticks, in lines and in blocks."""
    text = document.read_text()
    blocks = re.findall(r"^```.*?\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`]+)`", lines), blocks


def rules_of_the_workflow():
    text = "".join(path.read_text() for path in WORKFLOW.rglob("*.smk"))
    text += (WORKFLOW / "Snakefile").read_text()
    return set(re.findall(r"^(?:rule|use rule \w+ as) (\w+)", text, flags=re.MULTILINE))


def is_there(name):
    """Whether a name with dots is a module, a stage of a study, or something in a module."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        parts = ["stages", *parts]
    path = WORKFLOW
    for k, part in enumerate(parts):
        path = path / part
        if path.with_suffix(".py").is_file():
            rest = parts[k + 1 :]
            return all(word in path.with_suffix(".py").read_text() for word in rest)
    return path.is_dir()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in link:
            continue
        file, _, heading = link.partition("#")
        target = (document.parent / file) if file else document
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text(), flags=re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles]


@pytest.mark.parametrize("document", CURRENT, ids=name_of)
def test_every_target_of_make_is_in_the_makefile(document):
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    lines, blocks = code_in(document)
    named = set(re.findall(r"\bmake ([a-z-]+)", "\n".join([*lines, *blocks])))
    assert named - targets == set()


@pytest.mark.parametrize("document", CURRENT, ids=name_of)
def test_every_path_of_the_project_is_there(document):
    for named in code_in(document)[0]:
        first, slash, _ = named.partition("/")
        for root, folders in FOLDERS.items():
            if slash and first in folders and re.fullmatch(r"[\w./-]+", named):
                assert (root / named).exists(), named


@pytest.mark.parametrize("document", CURRENT, ids=name_of)
def test_every_module_is_there(document):
    first = [*PACKAGES, *(path.name for path in (WORKFLOW / "stages").iterdir() if path.is_dir())]
    keys = (PROJECT / "config/README.md").read_text()
    for named in code_in(document)[0]:
        if re.fullmatch(rf"({'|'.join(first)})(\.\w+)+", named) and f"`{named}`" not in keys:
            assert is_there(named), named


@pytest.mark.parametrize("document", CURRENT, ids=name_of)
def test_every_rule_is_in_the_workflow(document):
    named = set(re.findall(r"\brules? `(\w+)`", document.read_text()))
    named |= set(re.findall(r"\bcg_(\w+)", document.read_text()))
    named |= set(re.findall(r"^  - (\w+):\w+=", document.read_text(), flags=re.MULTILINE))
    assert named - rules_of_the_workflow() == set()


def test_the_readme_lists_every_table():
    listed = re.findall(r"^\| `(\w+)\.csv` \|", (PROJECT / "README.md").read_text(), re.MULTILINE)
    smoke = yaml.safe_load((WORKFLOW / "presets/smoke.yaml").read_text())
    assert sorted(listed) == sorted(["claims", *Experiment(laid_over_defaults(smoke)).tables])


def test_the_settings_in_the_readme_are_valid_and_all_variants_can_be_planned():
    examples = re.findall(r"^```yaml\n(.*?)^```$", (PROJECT / "README.md").read_text(), re.M | re.S)
    for example in examples:
        config = validated(laid_over_defaults(yaml.safe_load(example)), check_cuda=False)
        assert [
            variant.name
            for variant, experiment in Experiment(config).variants
            if not experiment.own_tables
        ] == []
    assert "sweeps" in "".join(examples)


@pytest.mark.parametrize("path", COMMON, ids=name_of)
def test_common_code_names_no_study(path):
    lines = path.read_text().splitlines()
    assert [f"{n}: {line}" for n, line in enumerate(lines, 1) if STUDIES.search(line)] == []


def test_hooks_check_with_the_programs_that_lint_calls():
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lint = (PROJECT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    for hook in hooks:
        assert hook["language"] == "system"
        (program,) = re.findall(r"\.venv/bin/([\w-]+)", hook["entry"])
        assert f"$(BIN)/{program} " in f"{lint} ".replace("\n", " "), program
