"""What counts of a module's text, and what it imports: parsed once, then known by its content.

A job digests its code before it runs. Some forty modules are to be parsed for that, in a fifth of
the time that a small job takes. So the process that plans a run leaves what it found in
``.snakemake/``, and jobs look there by the hash of a module's text: what is found under it cannot
be out of date. What is not found, is damaged, or was left by another Python is parsed.
"""

import ast
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

#: Where it is kept, in the folder that Snakemake runs in.
MEMORY = Path(".snakemake", "parsed_modules.json")
#: More than ten times the modules there are. With more, those of older code are dropped.
MOST_MODULES = 3000


class ParsedModule(NamedTuple):
    """A module.

    Attributes:
        significant: SHA-256 of its syntax tree without docstrings.
        imported: every name that its import statements may refer to.
    """

    significant: str
    imported: frozenset[str]


@cache
def parsed(content: bytes, module: str, is_package: bool) -> ParsedModule:
    """Parse a module, or find it among those that were parsed before.

    Args:
        content: its text.
        module: its dotted name.
        is_package: whether that names a package.
    """
    key = _key(content, module, is_package)
    known = _remembered(MEMORY.absolute()).get(key)
    if known is not None:
        significant, imported = known
        found = ParsedModule(significant, frozenset(imported))
    else:
        found = _parse(content, module, is_package)
    _seen[key] = found
    return found


def remember(memory: Path = MEMORY) -> None:
    """Keep what this process found, for jobs; no harm is done where it cannot be kept."""
    known = _remembered(memory.absolute())
    if _seen.keys() <= known.keys():
        return
    seen = {key: [each.significant, sorted(each.imported)] for key, each in _seen.items()}
    modules = seen if len(known) > MOST_MODULES else {**known, **seen}
    text = json.dumps(modules, sort_keys=True)
    partial = memory.with_name(f"{memory.name}.partial-{os.getpid()}")
    try:
        partial.write_text(f"{_sha256(text.encode())}\n{text}")
        os.replace(partial, memory)
    except OSError:  # full or read-only: then jobs parse
        with contextlib.suppress(OSError):
            partial.unlink()


# By key: all that this process asked for.
_seen: dict[str, ParsedModule] = {}


@cache
def _remembered(memory: Path) -> dict[str, tuple[str, list[str]]]:
    """What is kept in a file; nothing if that is damaged."""
    try:
        checksum, _, text = memory.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if checksum.decode(errors="replace") != _sha256(text):
        return {}
    kept: dict[str, tuple[str, list[str]]] = json.loads(text)
    return kept


@cache
def _parser() -> str:
    """What decides how a text is parsed: this file and the version of Python."""
    return f"{sys.version} {_sha256(Path(__file__).read_bytes())}"


def _key(content: bytes, module: str, is_package: bool) -> str:
    return _sha256(b"\0".join([_parser().encode(), f"{module} {is_package}".encode(), content]))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _parse(content: bytes, module: str, is_package: bool) -> ParsedModule:
    tree = ast.parse(content)
    statements = list(_statements(tree))
    imported = frozenset(_imported(statements, module, is_package=is_package))
    return ParsedModule(_sha256(_significant(tree, statements).encode()), imported)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node, and what groups them; expressions, which hold none, are not."""
    yield node
    for block in ("body", "handlers", "cases", "orelse", "finalbody"):
        inside = getattr(node, block, ())
        for each in inside if isinstance(inside, list) else ():  # a lambda's body is no list
            yield from _statements(each)


def _imported(statements: list[ast.AST], module: str, *, is_package: bool) -> Iterator[str]:
    """Every name that an import statement may refer to, project module or not."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _significant(tree: ast.Module, statements: list[ast.AST]) -> str:
    """The tree as text, without docstrings (comments and layout are in no tree)."""
    for node in statements:
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (ast.get_docstring(node, clean=False) is not None):
            node.body = node.body[1:]
    return ast.dump(tree)
