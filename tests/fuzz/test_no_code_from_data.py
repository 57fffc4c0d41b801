"""Nothing that is read can run: no pickle, no eval, no templates, in the code and in effect."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checkouts import PROJECT
from waiting import LIMIT

WORKFLOW = PROJECT / "workflow"
MODULES = sorted(WORKFLOW.rglob("*.py"))
RULES = [PROJECT / "Snakefile", WORKFLOW / "Snakefile", *sorted(WORKFLOW.rglob("*.smk"))]

# Each of these runs, or can run, code that it finds in a file or a text.
LIBRARIES = {
    "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle",
    "jsonpickle", "code", "codeop", "runpy", "yte", "jinja2", "imp",
}  # fmt: skip
BUILTINS = {"eval", "exec", "compile", "__import__", "execfile"}
METHODS = {
    "numpy.load", "numpy.fromregex", "torch.load", "torch.save", "torch.hub.load", "torch.jit.load",
    "pandas.read_pickle", "pandas.eval", "pandas.read_hdf", "yaml.load", "yaml.load_all",
    "yaml.full_load", "yaml.unsafe_load", "yaml.FullLoader", "yaml.UnsafeLoader", "yaml.Loader",
    "os.system", "os.popen",
}  # fmt: skip
ALIASES = {"np": "numpy", "pd": "pandas"}
ANY_OBJECT = {"to_pickle", "read_pickle", "eval", "__reduce__", "find_class"}
KEYWORDS = {"allow_pickle", "shell", "weights_only"}


def violations(source):
    """What in a module's text could run data, as ``line: name``."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names if each.name.split(".")[0] in LIBRARIES]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            names = [module] if module.split(".")[0] in LIBRARIES else []
            full = [f"{module}.{each.name}" for each in node.names]
            names += [name for name in full if name in METHODS]
        elif isinstance(node, ast.Name):
            names = [node.id] if node.id in BUILTINS else []
        elif isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            dotted = f"{ALIASES.get(first, first)}.{rest}"
            names = [dotted] if dotted in METHODS or node.attr in ANY_OBJECT else []
        elif isinstance(node, ast.keyword):
            names = [node.arg] if node.arg in KEYWORDS else []
        yield from (f"{node.lineno}: {name}" for name in names)


def test_no_module_of_the_workflow_runs_what_it_reads():
    assert len(MODULES) > 100
    found = {
        str(path.relative_to(PROJECT)): told
        for path in MODULES
        if (told := list(violations(path.read_text())))
    }
    assert found == {}


def test_no_rule_of_the_workflow_runs_what_it_reads():
    assert len(RULES) > 5
    words = LIBRARIES - {"code"} | BUILTINS - {"compile"} | {"read_pickle", "yaml.load"}
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(words)))})\b")
    for path in RULES:
        lines = [line.partition("#")[0] for line in path.read_text().splitlines()]
        assert [line for line in lines if pattern.search(line)] == [], path


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "from torch import load",
        "x = torch.load",
        "frame.to_pickle('a')",
        "eval('1')",
        "run = exec",
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "subprocess.run('ls', shell=True)",
        "import a, dill.source",
    ],
)
def test_the_search_finds_what_it_looks_for(text):
    assert list(violations(text))


def test_readers_neither_unpickle_nor_run_nor_open_anything_else(tmp_path):
    """Python tells of such acts before they happen; here each is an error."""
    script = Path(__file__).with_name("watched_readers.py")
    run = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "read 6 formats, refused 6" in run.stdout
    assert "the watch works" in run.stdout
