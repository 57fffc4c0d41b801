"""The shell of the jobs: whose python, and whose modules."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import environment
from pipeline.digest import WORKFLOW


def first_in_path(**variables):
    """The first folder of PATH after the prefix, where these variables are set."""
    told = subprocess.run(
        ["bash", "-c", f'{environment.shell_prefix(1)}echo "$PATH"'],
        env={"PATH": os.defpath, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split(os.pathsep)[0].strip()


@pytest.mark.parametrize("conda", [None, "", "/opt/base"])
def test_python_is_the_interpreter_of_snakemake(monkeypatch, conda):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    if conda is not None:
        monkeypatch.setenv("CONDA_PREFIX", conda)
    variables = {} if conda is None else {"CONDA_PREFIX": conda}
    assert first_in_path(**variables) == str(Path(sys.executable).parent)


@pytest.mark.parametrize("conda", [None, "/opt/base"])
def test_python_is_that_of_a_conda_environment_made_for_the_job(monkeypatch, conda):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    if conda is not None:
        monkeypatch.setenv("CONDA_PREFIX", conda)
    assert first_in_path(CONDA_PREFIX="/opt/job") == os.defpath.split(os.pathsep)[0]


def test_a_path_with_braces_and_spaces_reaches_the_job_as_it_is(monkeypatch):
    monkeypatch.setattr(environment, "WORKFLOW", Path("/a {b} c/'workflow"))
    shell = environment.stage_shell(environment.shell_prefix(1))
    assert shell("echo $PYTHONPATH", read=True).strip() == "/a {b} c/'workflow"


def compiled_modules():
    """The files whose kernels numba compiles."""
    library = WORKFLOW / "coarsegrain"
    numba = (path for path in library.rglob("*.py") if "coarsegrain.jit import" in path.read_text())
    return sorted(path.relative_to(WORKFLOW).as_posix() for path in numba)


def test_an_edit_of_any_kernel_moves_the_cache_of_compiled_kernels(tmp_path):
    shutil.copytree(WORKFLOW, tmp_path / "workflow")

    names = compiled_modules()
    assert len(names) > 10
    for name in names:
        path = tmp_path / "workflow" / name
        whole, before = path.read_bytes(), environment.digest_of_kernels(tmp_path / "workflow")
        path.write_bytes(whole + b"\nEDITED = 1\n")
        assert environment.digest_of_kernels(tmp_path / "workflow") != before, name
        path.write_bytes(whole)
