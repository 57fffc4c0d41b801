"""One digest of the code behind a stage: its module and every project module it imports.

Snakemake does not see edits in imported modules. The digest does: it hashes the syntax trees of
the stage and, transitively, of all modules under ``workflow/`` that it imports, together with the
locked versions of the libraries that these import: a new matplotlib redraws figures and trains
nothing. Data files beside the modules enter; comments, docstrings and layout do not.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.parsed_modules import ParsedModule, parsed

WORKFLOW = Path(__file__).resolve().parent.parent
LOCK = WORKFLOW.parent / "envs" / "requirements.lock"
# Libraries whose import name is not their name in the lock.
DISTRIBUTIONS = {"skimage": "scikit-image", "yaml": "pyyaml"}
# Files in a package's folder that its modules read, such as the style of the figures.
DATA = (".mplstyle", ".json", ".cu")


def code_digest(module: str, root: Path = WORKFLOW, lock: Path = LOCK) -> str:
    """Digest ``module`` and the project modules it imports, directly or through others.

    Args:
        module: dotted name, e.g. ``"stages.lattices.sample_lattices"``.
        root: folder that project modules are found under.
        lock: pip lock with the versions of the libraries.
    Returns:
        16 hexadecimal digits.
    Raises:
        ModuleNotFoundError: ``module`` is not a file under ``root``.
    """
    modules = _closure(module, root)
    libraries = {name.partition(".")[0] for each in modules.values() for name in each.imported}
    names = {DISTRIBUTIONS.get(library, library).lower().replace("_", "-") for library in libraries}
    parts = [f"{name}={each.significant}" for name, each in sorted(modules.items())]
    parts += [f"{name}=={version}" for name, version in _locked(lock) if name in names]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def importers(of: str, package: str, root: Path = WORKFLOW) -> list[str]:
    """The modules of a package that import the module ``of`` themselves, sorted."""
    found = []
    for source in sorted(root.joinpath(*package.split(".")).rglob("*.py")):
        names = source.relative_to(root).with_suffix("").parts
        is_package = names[-1] == "__init__"
        module = ".".join(names[:-1] if is_package else names)
        if of in parsed(source.read_bytes(), module, is_package).imported:
            found.append(module)
    return found


def _closure(module: str, root: Path) -> dict[str, ParsedModule]:
    """``module`` and all project modules it imports, by dotted name."""
    if _source(module, root) is None:
        raise ModuleNotFoundError(f"no module {module} under {root}")
    found: dict[str, ParsedModule] = {}
    todo, seen = [module], {module}
    ours = {path.stem for path in root.iterdir()}  # libraries need not be looked for
    while todo:
        name = todo.pop()
        source = _source(name, root)
        if source is None:
            continue
        is_package = source.name == "__init__.py"
        found[name] = parsed(source.read_bytes(), name, is_package)
        if is_package:
            data = [each for each in sorted(source.parent.iterdir()) if each.suffix in DATA]
            texts = [f"{each.name}={each.read_bytes()!r}" for each in data]
            found[name] = found[name]._replace(
                significant="\0".join([found[name].significant, *texts])
            )
        # importing a.b runs a/__init__.py too
        new = {*found[name].imported, *filter(None, [name.rpartition(".")[0]])} - seen
        seen |= new
        todo.extend(each for each in new if each.partition(".")[0] in ours)
    return found


def _source(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _locked(lock: Path) -> Iterator[tuple[str, str]]:
    """Normalised name and version of every library in a pip lock, sorted."""
    for line in sorted(lock.read_text().splitlines()):
        name, _, version = line.partition("#")[0].strip().partition("==")
        if name:
            yield name.lower().replace("_", "-"), version
