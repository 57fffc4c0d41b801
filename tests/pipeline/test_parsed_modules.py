"""Modules that were parsed before are known by their content, and by nothing else."""

import json
import subprocess
import sys

import pytest

from checkouts import PROJECT

CODE = """
import ast, sys
from pipeline.digest import code_digest
from pipeline.parsed_modules import remember

parse, count = ast.parse, []
ast.parse = lambda *args: count.append(1) or parse(*args)
print(code_digest("stages.judge_claims"), len(count))
if "--remember" in sys.argv:
    remember()
"""


@pytest.fixture
def digest(tmp_path):
    """The digest of a stage in a new process, and how many modules were parsed for it."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(PROJECT / "workflow")},
            capture_output=True,
            text=True,
            check=True,
        )
        found, parsed = done.stdout.split()
        return found, int(parsed)

    return run


def test_what_was_parsed_before_is_not_parsed_again_and_gives_the_same_digest(digest, tmp_path):
    afresh, modules = digest("--remember")
    assert modules > 10
    assert not (tmp_path / ".snakemake").exists()  # the folder of a run is Snakemake's to make
    (tmp_path / ".snakemake").mkdir()
    assert digest("--remember") == (afresh, modules)
    assert digest() == (afresh, 0)
    assert digest("--remember") == (afresh, 0)
    assert [each.name for each in (tmp_path / ".snakemake").iterdir()] == ["parsed_modules.json"]


def test_a_damaged_memory_is_not_believed(digest, tmp_path):
    (tmp_path / ".snakemake").mkdir()
    afresh, modules = digest("--remember")
    memory = tmp_path / ".snakemake" / "parsed_modules.json"
    whole = memory.read_bytes()
    for spoilt in (b"", b"\xff", whole[: len(whole) // 2], whole.replace(b'["', b'["f', 1)):
        memory.write_bytes(spoilt)
        assert digest() == (afresh, modules)
    assert digest("--remember") == (afresh, modules)
    assert digest() == (afresh, 0)


def test_what_is_kept_is_found_by_content_alone(digest, tmp_path):
    (tmp_path / ".snakemake").mkdir()
    _, modules = digest("--remember")
    memory = tmp_path / ".snakemake" / "parsed_modules.json"
    kept = json.loads(memory.read_bytes().partition(b"\n")[2])
    assert len(kept) == modules
    for key, (significant, imported) in kept.items():
        assert len(key) == len(significant) == 64  # two SHA-256: no path, no time
        assert imported == sorted(imported)
