"""A stand-in for conda: answers what Snakemake 9 asks of it, from what pip has installed here.

An environment that it makes holds the libraries that the file names, if their versions are those
installed, and what these require: links, and nothing else. So a job that needs more than its
environment file names fails, as it would with conda.
"""

import json
import re
import sys
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec, Version, VersionSpec

# What PyPI calls a library of conda-forge's, where the names differ.
PYPI_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib", "cupy": "cupy-cuda13x"}
# What the environment's Python does first.
RECORD = """\
import json, os, sys
with open(os.path.join(sys.prefix, "starts.jsonl"), "a") as log:
    path, words = os.environ.get("PYTHONPATH"), sys.orig_argv[1:]
    log.write(json.dumps({"prefix": sys.prefix, "path": path, "words": words}) + "\\n")
"""


def install(folder):
    """Put a ``conda`` into ``folder/bin``, with what jobs source there; return that path."""
    (folder / "bin").mkdir(parents=True)
    conda, activate = folder / "bin/conda", folder / "bin/activate"
    conda.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" "$@"\n')
    conda.chmod(0o755)
    activate.write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    return conda.parent


def calls_of(folder):
    """What the conda in ``folder`` was asked to make: words, and the text of the file."""
    log = folder / "calls.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def interpreters_in(prefix):
    """Every start of the environment's Python: its ``prefix``, ``path`` (PYTHONPATH), ``words``."""
    return [json.loads(line) for line in (prefix / "starts.jsonl").read_text().splitlines()]


def main(folder, words):
    """Answer one call."""
    match [word for word in words if word != "--yes"]:
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": str(folder), "platform": "linux-64"}))
        case ["--version"]:
            print("conda 26.7.0")
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["clean", "-y", "--tarballs"]:
            pass
        case [*create, "--quiet", "--no-default-packages", "--file", file, "--prefix", prefix]:
            text = Path(file).read_text()
            with (folder / "calls.jsonl").open("a") as log:
                log.write(json.dumps({"words": create, "file": text}) + "\n")
            make(Path(prefix), specs_in(text))
        case _:
            sys.exit(f"the stand-in for conda does not know: {words}")


def specs_in(text):
    """The specs of an environment file, or of a pin file (the addresses of packages)."""
    if "@EXPLICIT" in text:
        packages = re.findall(r"/([^/]+)-([^-/]+)-[^-/]+\.conda", text)
        return [MatchSpec(f"{name} =={version}", strict=True) for name, version in packages]
    return [MatchSpec(each, strict=True) for each in yaml.safe_load(text)["dependencies"]]


def make(prefix, specs):
    """Make the environment at ``prefix``."""
    versions = {spec.name.normalized: spec.version for spec in specs}
    here = ".".join(map(str, sys.version_info[:3]))
    if not VersionSpec(versions.pop("python")).matches(Version(here)):
        sys.exit(f"PackagesNotFoundError: the Python here is {here}")
    names = [PYPI_NAMES.get(name, name) for name in versions]
    for name, version in zip(names, versions.values(), strict=True):
        try:
            installed = distribution(name).version.partition("+")[0]
        except PackageNotFoundError:
            installed = "0"
        if not VersionSpec(version).matches(Version(installed)):
            sys.exit(f"PackagesNotFoundError: {name} {version}; {installed} is installed")
    venv.EnvBuilder(symlinks=True).create(prefix)
    libraries = next(prefix.glob("lib/python3*/site-packages"))
    (libraries / "sitecustomize.py").write_text(RECORD)
    for each in map(distribution, with_requirements(names)):
        for top in {file.parts[0] for file in each.files} - {"..", "__pycache__"}:
            link = libraries / top
            if not link.exists():
                link.symlink_to(each.locate_file(top))


def with_requirements(names):
    """``names`` and all that these distributions require, directly or through others."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name.lower() in found:
            continue
        found.add(name.lower())
        requirements = map(Requirement, distribution(name).requires or ())
        todo += [r.name for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
