# Where the code of this workflow is on this machine, also when another workflow imports it.
import importlib
import sys
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import HostingProviderFile, LocalSourceFile


def on_disk(folder):
    """The path of a folder of this workflow.

    Stages run from files. Where Snakemake reads the rules out of a repository, as with github(...),
    the commit they are from is therefore unpacked, once, below .snakemake.
    """
    if isinstance(folder, LocalSourceFile):
        return Path(folder).resolve()
    if not isinstance(folder, HostingProviderFile):
        raise WorkflowError(
            f"coarsegrain cannot run from {folder}; give `snakefile:` a path, or github(...)."
        )
    repository = folder.hosted_repo.repo
    commit = repository.commit(folder.ref).hexsha
    place = Path(".snakemake", "coarsegrain", commit).resolve()
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as partial:
            archive, files = Path(partial, "archive.tar"), Path(partial, "files")
            with archive.open("wb") as tar:
                repository.archive(tar, treeish=commit)
            with tarfile.open(archive) as tar:
                tar.extractall(files, filter="data")
            with suppress(OSError):  # another Snakemake was first
                files.rename(place)
    return place / folder.path


def check_package(name):
    """The code that computes specs and digests must be this checkout's: Python keeps one per name."""
    package = importlib.import_module(name)
    found = Path(next(iter(getattr(package, "__path__", [package.__file__])))).resolve()
    if found.parent != WORKFLOW:
        raise WorkflowError(
            f"coarsegrain needs its own Python package {name}, but another is already imported, from"
            f" {found}. Rename that one; and import one version of coarsegrain only."
        )


WORKFLOW = on_disk(workflow.current_basedir).parent
sys.path.insert(0, str(WORKFLOW))
for package in ("coarsegrain", "pipeline"):
    check_package(package)
