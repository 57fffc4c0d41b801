"""Edits of the project's files: those that count, and those that do not."""

import ast
import tokenize
from io import StringIO
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# Whose files decide results. What rules decide is in the specs that they give to stages.
PACKAGES = ("coarsegrain", "pipeline", "stages")
# What to append to a file for it to mean something else, by the file's ending.
SIGNIFICANT = {
    ".py": "\n_EDITED = True\n",
    ".cu": "\n__device__ int edited;\n",
    ".mplstyle": "\nlines.linewidth: 3.25\n",
}


def files(*endings: str) -> list[str]:
    """All files of the packages, as paths in the project; only those with these endings if any.

    Not the one that is empty and says only that there are types.
    """
    found = (
        path
        for package in PACKAGES
        for path in (PROJECT / "workflow" / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "py.typed"
    )
    return sorted(
        path.relative_to(PROJECT).as_posix()
        for path in found
        if not endings or path.suffix in endings
    )


def significant(name: str):
    """An edit that counts, for the file of this name."""
    ending = Path(name).suffix
    assert ending in SIGNIFICANT, f"{name}: say in SIGNIFICANT how a {ending} file is edited."
    return lambda text: text + SIGNIFICANT[ending]


def with_comments(text: str) -> str:
    """A comment at the end of every logical line, and one at the end of the file."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.NEWLINE and "#" not in lines[token.start[0] - 1]:
            lines[token.start[0] - 1] += "  # edited"
    return "\n".join([*lines, "# edited", ""])


def with_other_docstrings(text: str) -> str:
    """Every docstring longer by a sentence."""
    lines = text.encode().splitlines(keepends=True)
    for node in reversed(list(_docstrings(ast.parse(text)))):
        last = lines[node.end_lineno - 1]
        quotes = node.end_col_offset - 3
        assert last[quotes : quotes + 3] == b'"""', text
        lines[node.end_lineno - 1] = last[:quotes] + b" Edited." + last[quotes:]
    return b"".join(lines).decode()


def reformatted(text: str) -> str:
    """The same program, laid out as Python itself would and without any comment."""
    return ast.unparse(ast.parse(text)) + "\n"


def _docstrings(tree: ast.Module):
    for node in ast.walk(tree):
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].value
