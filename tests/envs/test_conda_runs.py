"""Snakemake's way with ``--sdm conda``, with a stand-in for conda itself."""

import os
import platform
import re
import shutil
from pathlib import Path

import pytest
import stand_in_conda
from stand_in_conda import calls_of, interpreters_in

pytestmark = pytest.mark.slow

# Of nets, lattices, certificates and tables, one at least; every kind of library but figures.
TARGETS = [
    "results/smoke/nets/CG-64-32/member-0.losses.csv",
    "results/smoke/tables/model_architectures.csv",
]
CONDA = ("--sdm", "conda")
NOTHING = "Nothing to be done"


@pytest.fixture
def conda(tmp_path, monkeypatch):
    """A folder with the stand-in for conda, which is first in PATH."""
    folder = tmp_path / "conda"
    monkeypatch.setenv("PATH", str(stand_in_conda.install(folder)), prepend=os.pathsep)
    return folder


def test_a_run_with_conda_gives_a_plain_runs_bytes_and_switching_makes_nothing_stale(
    smoke_run, warm_checkout, conda
):
    run = warm_checkout.smoke(*TARGETS, *CONDA)
    assert run.returncode == 0, run.stdout

    asked = (warm_checkout.path / "envs/cpu.yaml").read_text()
    assert calls_of(conda) == [{"words": ["env", "create"], "file": asked}]
    (prefix,) = [
        path for path in (warm_checkout.path / ".snakemake/conda").iterdir() if path.is_dir()
    ]
    stages = [start for start in interpreters_in(prefix) if start["words"][0] == "-m"]
    assert {start["words"][1] for start in stages} >= {
        "stages.lattices.sample_lattices", "stages.lattices.certify_lattices",
        "stages.lattices.decimate_lattices",
        "stages.autoencoder.train_net",
        "stages.autoencoder.evaluate_model", "stages.autoencoder.describe_models",
    }  # fmt: skip
    assert {Path(start["prefix"]) for start in stages} == {prefix}
    assert {start["path"] for start in stages} == {str(warm_checkout.path / "workflow")}

    results = warm_checkout.path / "results/smoke"
    folders = ("nets", "lattices", "certificates", "tables")
    made = [path for folder in folders for path in (results / folder).rglob("*") if path.is_file()]
    assert len(made) > 12
    for path in made:
        plain = smoke_run.path / path.relative_to(warm_checkout.path)
        assert path.read_bytes() == plain.read_bytes(), path

    assert NOTHING in warm_checkout.smoke(*TARGETS, "--dry-run").stdout
    assert NOTHING in warm_checkout.smoke(*TARGETS, "--dry-run", *CONDA).stdout
    assert NOTHING in smoke_run.smoke("--dry-run", *CONDA).stdout


def test_a_pin_file_is_taken_before_the_environment_file(checkout, conda):
    pins = checkout.path / "envs/cpu.linux-64.pin.txt"
    python = f"python-{platform.python_version()}-h1_0_cpython.conda#0123"
    pins.write_text(f"@EXPLICIT\nhttps://channel.example/linux-64/{python}\n")
    run = checkout.smoke(TARGETS[1], *CONDA, "--conda-create-envs-only")
    assert run.returncode == 0, run.stdout
    assert calls_of(conda) == [{"words": ["create"], "file": pins.read_text()}]


def test_with_device_cuda_conda_is_asked_for_the_gpu_environment_whatever_this_python_has(
    checkout, conda
):
    run = checkout.smoke(TARGETS[0], "--dry-run", *CONDA, "--config", "device=cuda")
    assert run.returncode == 0, run.stdout
    for file in ("cpu.yaml", "gpu.yaml"):
        assert re.search(rf"Conda environment \S*envs/{file} will be created", run.stdout)


def test_without_conda_a_sentence_says_what_to_do(checkout, monkeypatch):
    folders = os.environ["PATH"].split(os.pathsep)
    without = [folder for folder in folders if not shutil.which("conda", path=folder)]
    monkeypatch.setenv("PATH", os.pathsep.join(without))
    run = checkout.smoke(TARGETS[1], *CONDA)
    assert run.returncode != 0
    assert "--sdm conda needs conda, and there is none in PATH" in run.stdout
    assert "Install it" in run.stdout
    assert "Traceback" not in run.stdout
    assert not (checkout.path / "results").exists()
