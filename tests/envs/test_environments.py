"""The conda environments: right for every rule, exact, and equal to the pip locks."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import BuildString, MatchSpec, PackageRecord
from stand_in_conda import PYPI_NAMES, make, specs_in

from checkouts import PROJECT, stages
from pipeline import digest
from pipeline.studies.experiment import STUDIES

ENVS = PROJECT / "envs"
STAGES = stages(PROJECT)
# Named though no module imports them: h5netcdf reads and writes through h5py.
THROUGH_OTHERS = {"h5py"}


def described(file):
    return yaml.safe_load((ENVS / file).read_text())


def specs(file):
    """Strictly parsed, by PyPI's name."""
    parsed = [MatchSpec(each, strict=True) for each in described(file)["dependencies"]]
    named = {PYPI_NAMES.get(each.name.normalized, each.name.normalized): each for each in parsed}
    assert len(named) == len(parsed)
    return named


def locked(file):
    """Versions in a pip lock, by normalised name."""
    lines = [line.partition("#")[0].strip() for line in (ENVS / file).read_text().splitlines()]
    given = [Requirement(line) for line in lines if line]
    assert all(len(each.specifier) == 1 for each in given)
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in given}


EVERY_STUDY = [each.name for each in STUDIES]


def rules(**config):
    words = [f"{key}={value}" for key, value in {"studies": EVERY_STUDY, **config}.items()]
    program = Path(__file__).with_name("rule_list.py")
    run = subprocess.run(
        [sys.executable, program, PROJECT, *words], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def all_rules():
    return rules(device="auto")


def test_every_rule_has_the_environment_file_of_its_device(all_rules):
    assert {rule["stage"] for rule in all_rules} == set(STAGES)
    for rule in all_rules:
        assert Path(rule["environment"]).resolve() == ENVS / "cpu.yaml", rule["name"]
    with_gpu = rules(device="cuda")
    assert {rule["asks_for_gpu"] for rule in with_gpu} == {True, False}
    for rule in with_gpu:
        expected = "gpu.yaml" if rule["asks_for_gpu"] else "cpu.yaml"
        assert Path(rule["environment"]).resolve() == ENVS / expected, rule["name"]


@pytest.mark.parametrize("file", ["cpu.yaml", "gpu.yaml"])
def test_packages_come_from_conda_forge_alone(file):
    assert described(file).keys() == {"channels", "dependencies"}
    assert described(file)["channels"] == ["conda-forge"]
    assert all(spec.channel is None for spec in specs(file).values())


@pytest.mark.parametrize("file", ["cpu.yaml", "gpu.yaml"])
def test_every_library_is_given_in_the_version_of_the_lock_exactly(file):
    versions = {**locked("requirements.lock"), **locked("requirements-gpu.lock")}
    libraries = specs(file)
    for interface in ("python", "cuda-version"):
        libraries.pop(interface, None)
    for name, spec in libraries.items():
        assert spec.version == f"=={versions[name]}", name


def test_the_gpu_environment_is_the_cpu_one_with_cuda():
    cpu, gpu = specs("cpu.yaml"), specs("gpu.yaml")
    assert gpu.keys() - cpu.keys() == {"cupy-cuda13x", "cuda-version"}
    assert {name: spec.version for name, spec in cpu.items()} == {
        name: gpu[name].version for name in cpu
    }
    builds = {name: (cpu[name].build, gpu[name].build) for name in cpu if gpu[name].build}
    assert builds == {"torch": ("cpu*", "cuda*")}


def test_the_locks_to_run_and_for_tests_are_apart():
    run, tests = locked("requirements.lock"), locked("requirements-dev.lock")
    assert not run.keys() & tests.keys()
    assert {"pytest", "ruff", "mypy", "selenium", "nvidia-cuda-nvrtc"} <= tests.keys()
    assert {"snakemake", "torch", "numba"} <= run.keys()
    for file, lock in (("requirements.in", run), ("requirements-dev.in", run | tests)):
        lines = (ENVS / file).read_text().splitlines()
        asked = [Requirement(line) for line in lines if line and not line.startswith("#")]
        for each in asked:
            version = lock[canonicalize_name(each.name)]
            assert each.specifier.contains(version), each


# A processor and a system, as wheels name them.
PLATFORMS = {
    "Linux on x86-64": ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_27_x86_64",
                        "manylinux_2_28_x86_64"],
    "Linux on aarch64": ["manylinux2014_aarch64", "manylinux_2_17_aarch64",
                         "manylinux_2_26_aarch64", "manylinux_2_27_aarch64",
                         "manylinux_2_28_aarch64"],
    "macOS on arm64": ["macosx_10_9_universal2", "macosx_11_0_arm64", "macosx_12_0_arm64",
                       "macosx_13_0_arm64", "macosx_14_0_arm64"],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("system", PLATFORMS)
def test_every_line_of_the_lock_to_run_has_a_wheel_for(system, tmp_path):
    """But for one library, which is pure Python and comes as source."""
    run = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps",
         "--only-binary", ":all:", "--no-binary", "connection_pool", "--python-version", "3.11",
         "--implementation", "cp", *[f"--platform={each}" for each in PLATFORMS[system]],
         "--target", tmp_path, "--requirement", ENVS / "requirements.lock"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_the_gpu_lock_is_that_of_the_gpu_environment_and_contradicts_no_other():
    lock = locked("requirements-gpu.lock")
    cpu_lock = locked("requirements.lock") | locked("requirements-dev.lock")
    assert {name: cpu_lock[name] for name in lock.keys() & cpu_lock.keys()} == {
        name: lock[name] for name in lock.keys() & cpu_lock.keys()
    }
    release = specs("gpu.yaml")["cuda-version"].version
    assert lock["nvidia-cuda-nvrtc"].startswith(release.removeprefix("==") + ".")
    assert release.startswith("==13.")  # as in cupy-cuda13x


def test_the_environment_has_the_python_that_the_locks_are_for():
    version = specs("cpu.yaml")["python"].version.removesuffix(".*")
    assert version == specs("gpu.yaml")["python"].version.removesuffix(".*")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert version == project["tool"]["mypy"]["python_version"]
    assert f"Python {version}" in (ENVS / "requirements.lock").read_text()
    assert version in SpecifierSet(project["project"]["requires-python"])
    for name in specs("cpu.yaml").keys() - {"python"}:
        assert f"{version}.99" in SpecifierSet(metadata(name)["Requires-Python"] or ""), name


def test_environments_name_every_library_that_stages_import_and_no_other(all_rules):
    ours = {"coarsegrain", "pipeline", "stages"}
    imported = {
        name.partition(".")[0]
        for stage in STAGES
        for module in digest._closure(stage, digest.WORKFLOW).values()
        for name in module.imported
    } - ours - sys.stdlib_module_names  # fmt: skip
    distributions = packages_distributions()
    needed = {distributions[name][0].lower() for name in imported if name}
    assert len(needed) > 10
    assert specs("cpu.yaml").keys() == needed | THROUGH_OTHERS | {"python"}
    assert needed | THROUGH_OTHERS <= locked("requirements.lock").keys()
    source = "".join(path.read_text() for path in (PROJECT / "workflow").rglob("*.py"))
    assert 'import_module("cupy")' in source  # no import statement: it is there for a GPU only


def test_the_files_are_those_that_the_locks_give(tmp_path):
    for file in ENVS.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    for file in ("cpu.yaml", "gpu.yaml"):
        (tmp_path / file).unlink()
    write = [sys.executable, tmp_path / "write_conda.py"]
    subprocess.run(write, check=True)
    for file in ("cpu.yaml", "gpu.yaml"):
        assert (tmp_path / file).read_text() == (ENVS / file).read_text(), "run: make lock"
    lock = tmp_path / "requirements.lock"
    text = lock.read_text()
    lock.write_text(re.sub("^torch==.*", "torch==9.9", text, flags=re.MULTILINE))
    subprocess.run(write, check=True)
    assert "- pytorch ==9.9 cpu*\n" in (tmp_path / "cpu.yaml").read_text()
    assert "- pytorch ==9.9 cuda*\n" in (tmp_path / "gpu.yaml").read_text()
    lock.write_text(re.sub("^torch==.*", "", text, flags=re.MULTILINE))
    run = subprocess.run(write, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "requirements.lock lacks torch" in run.stderr


def unpinned(file, text):
    """The packages of an environment file that a pin file has not, or in another version."""
    packages = re.findall(r"/([^/]+)-([^-/]+)-([^-/]+)\.(?:conda|tar\.bz2)", text)
    records = [
        PackageRecord(name, version, BuildString(build), 0, "noarch", None, None)
        for name, version, build in packages
    ]
    return {
        name for name, spec in specs(file).items() if not any(map(spec.matches, records))
    }  # fmt: skip


def test_a_pin_file_agrees_with_the_environment_that_it_pins():
    for file in ENVS.glob("*.pin.txt"):
        name, platform = file.name.removesuffix(".pin.txt").split(".")
        assert platform in {"linux-64", "linux-aarch64", "osx-arm64"}
        assert not unpinned(f"{name}.yaml", file.read_text()), f"{file} is of an older lock"
    made = {"pytorch": "cpu_generic_py311_h1_0", "python": "h1_0_cpython"}
    lines = [
        f"https://channel.example/linux-64/{spec.name.normalized}-"
        f"{spec.version.lstrip('=').replace('*', '7')}-{made.get(spec.name.normalized, 'py311_0')}"
        ".conda#0123"
        for spec in specs("cpu.yaml").values()
    ]
    text = "\n".join(["@EXPLICIT", *lines])
    assert unpinned("cpu.yaml", text) == set()
    assert unpinned("gpu.yaml", text) == {"torch", "cupy-cuda13x", "cuda-version"}
    assert unpinned("cpu.yaml", text.replace("scipy-1.", "scipy-0.")) == {"scipy"}


def test_every_stage_can_be_imported_with_nothing_but_its_environment(tmp_path, all_rules):
    prefix = tmp_path / "environment"
    make(prefix, specs_in((ENVS / "cpu.yaml").read_text()))
    stages = ", ".join(STAGES)
    run = subprocess.run(
        [prefix / "bin/python", "-c", f"import {stages}"],
        cwd=PROJECT / "workflow",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    other = [prefix / "bin/python", "-c", "import snakemake"]
    assert "ModuleNotFoundError" in subprocess.run(other, capture_output=True, text=True).stderr
