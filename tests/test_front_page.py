"""The front page of the report tells of the studies that are in it, and of no other."""

import re
from types import SimpleNamespace

import pytest
from docutils.core import publish_parts
from jinja2 import Environment

from checkouts import PROJECT
from pipeline.defaults import laid_over_defaults

PAGE = (PROJECT / "workflow/report/workflow.rst").read_text()
TITLES = {"autoencoder": "Study A", "rbm": "Study B", "neuralrg": "Study C"}
CHANGES = {
    "members": 7,
    "L": 44,
    "rbm": {"L": 28, "lattices": 12345, "exponents": {"L": 56}, "updates": {"tied": 4321}},
    "neuralrg": {"L": 16, "steps": 3210, "samples": 54321, "patches": {"steps": 987}},
}
NUMBERS = {
    "autoencoder": ["L = 44,", "7 members", "β = 0.4352,", "epochs of training"],
    "rbm": [
        "L = 28,", "7 members", "12345 lattices", "β = 0.4406867935,", "4321 updates", "L = 56,",
    ],
    "neuralrg": ["L = 16,", "7 members", "β = 0.4406867935,", "3210 steps", "54321", "987 steps"],
}  # fmt: skip


def page(studies):
    """The page's text as a reader sees it, laid out as Snakemake does; a bad line is an error."""
    config = laid_over_defaults({**CHANGES, "studies": studies})
    template = Environment(trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
    text = template.render(snakemake=SimpleNamespace(config=config))
    settings = {"halt_level": 2, "report_level": 2}
    html = publish_parts(text, writer="html", settings_overrides=settings)["html_body"]
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


@pytest.mark.parametrize(
    "studies",
    [["autoencoder"], ["rbm"], ["neuralrg"], ["autoencoder", "rbm", "neuralrg"]],
    ids="+".join,
)
def test_front_page_tells_of_the_studies_in_the_run_and_of_no_other(studies):
    text = page(studies)
    assert [each for each, title in TITLES.items() if title in text] == studies
    assert text.count("This run:") == len(studies)
    for study in studies:
        part = text.partition(TITLES[study])[2].partition("Study ")[0]
        assert [number for number in NUMBERS[study] if number not in part] == []


def test_a_run_of_study_b_alone_tells_no_number_of_study_a():
    text = page(["rbm"])
    for number in ("0.4352", "L = 44", "epochs", "batches", "Shukla"):
        assert number not in text
