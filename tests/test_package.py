"""What others read of the package: its version, its extras, and the forms around it."""

import json
import re
import tomllib

import pytest
import yaml

import coarsegrain
from checkouts import PROJECT

METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def names(requirements):
    return sorted(re.split(r"[=<>;\[ ]", each)[0].lower() for each in requirements)


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert coarsegrain.__version__ == METADATA["version"] == str(citation["version"])


def test_another_name_of_the_library_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'versoin'"):
        coarsegrain.versoin  # noqa: B018


def test_extra_dev_is_what_the_lock_for_tests_is_made_from():
    lines = (PROJECT / "envs/requirements-dev.in").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert names(METADATA["optional-dependencies"]["dev"]) == names(wanted)


def test_extra_gpu_is_what_the_lock_for_gpus_adds():
    lock = (PROJECT / "envs/requirements-gpu.lock").read_text()
    for name in names(METADATA["optional-dependencies"]["gpu"]):
        assert re.search(rf"^{name}==", lock, re.MULTILINE)


def test_types_are_announced():
    assert (PROJECT / "workflow/coarsegrain/py.typed").is_file()


def test_zenodo_and_citation_name_the_same_title_and_papers():
    zenodo = json.loads((PROJECT / ".zenodo.json").read_text())
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert zenodo["title"] == citation["title"]
    papers = {each["identifier"] for each in zenodo["related_identifiers"]}
    cited = {each["identifiers"][0]["value"] for each in citation["references"]}
    assert papers == cited


def test_hosted_tests_are_those_of_the_project():
    jobs = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert [step.get("run") for step in jobs["tests"]["steps"]][-1] == ".ci/run"
    for form in (PROJECT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        assert yaml.safe_load(form.read_text())


def test_container_is_made_from_the_lock():
    """Of files that are there; it is not built here."""
    lines = (PROJECT / "envs/Containerfile").read_text().splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY")]
    assert all((PROJECT / each).exists() for each in copied)
    assert "RUN make .venv/.ready" in lines
