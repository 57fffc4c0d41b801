"""A config file is plain data or refused with a sentence, whatever stands in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from limits import judged, refused
from snakemake.common.configfile import load_configfile

from checkouts import PROJECT, Checkout
from coarsegrain.errors import ConfigError
from pipeline.config import validated
from pipeline.config_file import read_config_file
from pipeline.run import main

SHIPPED = (PROJECT / "config.yaml").read_text()
CONFIG = yaml.safe_load(SHIPPED)
LINES = [line for line in SHIPPED.splitlines() if line.strip() and not line.strip().startswith("#")]

LAUGHS = "k0: &k0 {x: 1}\n" + "".join(
    f"k{n}: &k{n} {{x: *k{n - 1}, y: *k{n - 1}, z: *k{n - 1}}}\n" for n in range(1, 30)
)
CODE = "?__import__('os').system('touch ran')"
BAD_FILES = {
    "is a template": f'__use_yte__: true\nL: "{CODE}"\n',
    "template (__use": f'<<: {{__use_yte__: yes}}\nL: "{CODE}"\n',
    "template (__use_yte__)": '{"__use_yte__": true}',
    "uses an alias": LAUGHS,
    "line 1 is not valid YAML: it uses an alias": "nets: &nets {nets: *nets}\n",
    "line 3 is not valid YAML: it uses an alias": "a: &a {L: 8}\n\n<<: *a\n",
    "for the tag 'tag:yaml.org,2002:python/object/apply:os.system'": (
        "L: !!python/object/apply:os.system ['touch ran']\n"
    ),
    "for the tag 'tag:yaml.org,2002:python/name:os.system'": "L: !!python/name:os.system\n",
    "for the tag '!include'": "L: !include /etc/passwd\n",
    r"for the tag '!!\x1b[31m'": "L: !<!!%1B[31m> 3\n",
    "line 2 is not valid YAML: it has the key 'L' twice": "L: 8\nL: 16\n",
    "line 4 is not valid YAML: it has the key 'l1' twice": "nets:\n  l1: 0\n  loss: mse\n  l1: 1\n",
    "line 2 is not valid YAML: a value makes no sense (month": "L: 8\nseed: 2026-13-01\n",
    "a value makes no sense (could not convert": "L: !!float x\n",
    "a value makes no sense ('x')": "L: !!bool x\n",
    "a value makes no sense (Exceeds": "L: " + "9" * 5000,
    "makes no sense (int too large": "L: " + "1:" * 32000 + "1.5",
    "a value makes no sense (string index": "L: !!int ''\n",
    "nested too deeply": "L: " + "[" * 60000,
    "is nested too deeply": "L: " + "{a: " * 15000,
    "more than 64 kB": SHIPPED * 20,
    "characters that are not text": "L: \0\n",
    "not text in UTF-8": "résultats: 1".encode("latin-1"),
    "another document": "L: 8\n---\nL: 16\n",
    "unhashable key": "? [a]\n: 1\n",
    "expected a mapping": "<<: 3\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(SHIPPED)
    return tmp_path


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def checked(path):
    """As a run does: the file over the shipped config."""
    content = read_config_file(path)
    return validated(CONFIG | content if isinstance(content, dict) else content, check_cuda=False)


@pytest.mark.parametrize("fragment", BAD_FILES)
def test_file_that_is_more_than_data_is_refused(fragment, folder):
    assert fragment in refused(read_config_file, write(folder / "bad.yaml", BAD_FILES[fragment]))


def test_make_run_refuses_a_template_before_snakemake_runs_it(folder, capsys):
    write(folder / "bad.yaml", BAD_FILES["is a template"])
    assert main(["--configfile", "bad.yaml", "--cores", "1"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: bad.yaml is a template (__use_yte__): ")
    assert told.count("\n") == 1
    assert not (folder / "ran").exists()
    assert not (folder / ".snakemake").exists()


def test_template_would_be_run_by_snakemake(folder):
    """What the refusal is for; Snakemake's own reader runs the code."""
    load_configfile(write(folder / "bad.yaml", BAD_FILES["is a template"]))
    assert (folder / "ran").exists()


@pytest.mark.slow
def test_snakemake_refuses_its_config_file_before_it_runs_it(tmp_path):
    checkout = Checkout.at(tmp_path)
    (tmp_path / "config.yaml").write_text(SHIPPED + BAD_FILES["is a template"].splitlines()[0])
    with (tmp_path / "config.yaml").open("a") as file:
        file.write(f'\nspam: "{CODE}"\n')
    run = checkout.snakemake("--dry-run")
    assert run.returncode == 1
    assert "config.yaml is a template" in run.stdout
    assert "Traceback" not in run.stdout
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_snakemake_refuses_another_config_file_that_is_no_plain_data(checkout):
    path = write(checkout.path / "twice.yaml", "L: 8\nL: 16\n")
    run = checkout.snakemake("--dry-run", "--configfile", "twice.yaml")
    assert run.returncode == 1
    assert f"{path}, line 2 is not valid YAML: it has the key 'L' twice." in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "nul", "long"])
def test_what_is_no_file_is_refused(kind, folder):
    path = {"device": Path("/dev/zero"), "nul": Path("a\0b"), "long": Path("x" * 5000)}.get(
        kind, folder / kind
    )
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"^[^\n\0]+\.$"):
        read_config_file(path)


def test_name_with_escape_codes_is_shown_without_them(folder):
    with pytest.raises(ConfigError, match=r"'\\x1b\[31m.yaml'"):
        read_config_file(Path("\x1b[31m.yaml"))


# Values, keys and whole lines that have confused some reader of YAML.
TOKENS = [
    "", "~", "!!python/name:os.system", "!!binary AA==", "!!set {a}", "!!omap [a: 1]", "&a 3", "*a",
    "[", "]", "{", "}", "{a: b}", "[[[[]]]]", "|", ">", "'", '"', "@", "`", "%", "---", "...",
    "? a", "- a", "<<: {L: 8}", "1e999", ".inf", ".nan", "-.inf", "1:1:1", "0x" + "f" * 300,
    "9" * 300, "0o7", "1_000", "2026-11-21", "yes", "no", "null", "=", '"\\u202e"',
    '"\\x1b[2J"', '"\\0"', "'{wildcards}'", '"a\\nb"', "../..", "~/x", "$HOME", "'; touch ran'",
    "/etc/passwd", "/proc/self", "?1+1", "__use_yte__: true", "L: 8", "nets:", "é", "\u2028",
    "\ufeff", "\t", "# x", "x" * 300,
]  # fmt: skip
token = st.sampled_from(TOKENS) | st.text(max_size=6) | st.integers().map(str)


@st.composite
def edited(draw):
    """The shipped config with a few lines or values replaced, doubled, indented or lost."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[at].partition(":")
        kind = draw(st.sampled_from(["value", "value", "key", "line", "double", "lose", "indent"]))
        lines[at : at + 1] = {
            "value": [f"{key}{colon} {draw(token)}"],
            "key": [f"{draw(token)}{colon} 1"],
            "line": [lines[at], draw(token)],
            "double": [lines[at], lines[at]],
            "lose": [],
            "indent": [f" {lines[at]}"],
        }[kind]
    return "\n".join(lines) + "\n"


def judge_file(folder, content):
    path = write(folder / "config.yaml", content)
    answer = judged(checked, path, lines=200)
    assert isinstance(answer, dict | str)
    try:
        ours = read_config_file(path)
    except ConfigError:
        return
    # What is not refused holds no code: Snakemake reads the same, also where it reads JSON.
    if isinstance(ours, dict):
        assert type(load_configfile(path)) is dict or content.lstrip()[:1] in ("{", b"{")
        theirs = dict(load_configfile(path))
        assert repr(theirs) == repr(ours) or content.lstrip()[:1] in ("{", b"{")


@settings(max_examples=150, deadline=None)
@given(edited())
def test_edited_config_is_valid_or_refused(tmp_path_factory, content):
    judge_file(tmp_path_factory.mktemp("edited"), content.encode(errors="surrogatepass"))


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=40)
    | st.text(st.sampled_from("aL:-?&*!|>'\"%@`{}[],#~<=.0189 \n\t\\\u2028\ufeff"), max_size=40)
    .map(str.encode)
    | st.lists(token, max_size=5).map(lambda each: " ".join(each).encode(errors="surrogatepass"))
)  # fmt: skip
@example(b"\xff\xfeL\0:\0")
@example(b"{__use_yte__: 1}")
def test_any_bytes_are_a_config_or_refused(tmp_path_factory, content):
    judge_file(tmp_path_factory.mktemp("bytes"), content)


HUGE = {
    "list": ([[1] * 80] * 80, "more than 5000 values"),
    "section": (dict.fromkeys(range(6000), 1), "more than 5000 values"),
    "integer": (int("f" * 5000, 16), "too large to check"),
    "text": ("members" * 9000, "it must be an even integer"),
}


@pytest.mark.parametrize("kind", HUGE)
def test_huge_value_is_told_in_few_words(kind, tmp_path):
    value, fragment = HUGE[kind]
    assert fragment in judged(lambda _: validated(CONFIG | {"L": value}), tmp_path / "x")


def test_config_that_holds_itself_is_refused(tmp_path):
    inside = {}
    inside["nets"] = inside
    for value in (inside, [inside] * 3):
        judged(lambda _, value=value: validated(CONFIG | {"nets": value}), tmp_path / "x", lines=20)


def test_long_key_is_told_in_few_words(tmp_path):
    answer = judged(lambda _: validated(CONFIG | {"members" * 9000: 1}), tmp_path / "x")
    assert len(answer) < 400


def test_every_reader_of_the_command_line_reads_the_config_first(folder):
    write(folder / "bad.yaml", BAD_FILES["is a template"])
    for program in ("verify", "estimate"):
        run = subprocess.run(
            [sys.executable, "-m", f"pipeline.{program}", "--configfile", "bad.yaml"],
            env={**os.environ, "PYTHONPATH": str(PROJECT / "workflow")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stdout) == (1, ""), run
        assert "bad.yaml is a template" in run.stderr
        assert "Traceback" not in run.stderr
    assert not (folder / "ran").exists()
