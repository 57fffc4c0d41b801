"""Compiled kernels never outlive their source, and outlive everything else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SAMPLE = """
from coarsegrain.ising.sampler import sample_lattices
spins = sample_lattices([0.3, 0.4, 0.5], 4, seed=1, steps=3)
print("".join("-+"[int(s > 0)] for s in spins.ravel()))
"""


def python(copy: Path, code: str, prefix: str = "") -> str:
    """What ``code`` prints, run with the copy's modules as a job with this shell prefix is."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "COARSEGRAIN"))}
    return subprocess.run(
        ["bash", "-c", f'{prefix} exec "$0" -c "$1"', sys.executable, code],
        cwd=copy,
        env={**kept, "PYTHONPATH": str(copy / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def shell_prefix(copy: Path) -> str:
    """What the copy's own pipeline would put before every job."""
    return python(copy, "from pipeline.environment import shell_prefix; print(shell_prefix(1))")


def edit(copy: Path, module: str, old: str, new: str) -> None:
    path = copy / "workflow" / "coarsegrain" / module
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def machine_code(copy: Path) -> dict[Path, int]:
    """The files of compiled kernels, and when they were written."""
    return {p: p.stat().st_mtime_ns for p in (copy / ".snakemake" / "kernels").rglob("*.nbc")}


@pytest.mark.slow
def test_kernels_are_compiled_again_when_and_only_when_code_they_use_changes(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "workflow", tmp_path / "workflow", ignore=ignore)
    shutil.copytree(REPOSITORY / "envs", tmp_path / "envs")
    prefix = shell_prefix(tmp_path)
    spins = python(tmp_path, SAMPLE, prefix)
    kernels = machine_code(tmp_path)
    assert len(spins) == 48
    assert kernels

    # a comment, in a file that kernels' files import
    edit(tmp_path, "jit.py", "# numba's own cache does", "# Beware: numba's own cache does")
    assert shell_prefix(tmp_path) == prefix
    assert python(tmp_path, SAMPLE, prefix) == spins
    assert machine_code(tmp_path) == kernels

    # an operation of a function of words, inlined into kernels of other files
    edit(
        tmp_path,
        "ising/sampler/thresholds.py",
        "threshold_bits & ~random_bits",
        "threshold_bits & random_bits",
    )
    edited = shell_prefix(tmp_path)
    assert edited != prefix
    # numba itself does not see that: kept in the old folder, it runs the old machine code
    assert python(tmp_path, SAMPLE, prefix) == spins
    other_spins = python(tmp_path, SAMPLE, edited)
    assert other_spins != spins
    assert machine_code(tmp_path).keys() > kernels.keys()

    # an operation of a kernel that other files' kernels call
    edit(
        tmp_path,
        "ising/sampler/heat_bath.py",
        "lane, sign ^ turned)",
        "lane, sign | turned)",
    )
    assert shell_prefix(tmp_path) not in (prefix, edited)
    assert python(tmp_path, SAMPLE, shell_prefix(tmp_path)) not in (spins, other_spins)

    # and back: the kernels of the first code are still there, and right
    shutil.copytree(
        REPOSITORY / "workflow", tmp_path / "workflow", ignore=ignore, dirs_exist_ok=True
    )
    before = machine_code(tmp_path)
    assert shell_prefix(tmp_path) == prefix
    assert python(tmp_path, SAMPLE, prefix) == spins
    assert machine_code(tmp_path).keys() == before.keys()
