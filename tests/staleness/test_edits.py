"""The edits that the matrix makes are what their names say."""

import ast

import pytest
from edits import PROJECT, files, reformatted, significant, with_comments, with_other_docstrings

SOURCES = {name: (PROJECT / name).read_text() for name in files(".py")}


def tree(text, docstrings=True):
    parsed = ast.parse(text)
    for node in () if docstrings else ast.walk(parsed):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = node.value.replace(" Edited.", "")
    return ast.dump(parsed)


@pytest.mark.parametrize("edit", [with_comments, reformatted])
def test_comments_and_layout_leave_the_program_as_it_is(edit):
    changed = {name: edit(text) for name, text in SOURCES.items()}
    assert {name: tree(text) for name, text in changed.items()} == {
        name: tree(text) for name, text in SOURCES.items()
    }
    assert changed != SOURCES


def test_edited_docstrings_are_all_that_differs():
    changed = {name: with_other_docstrings(text) for name, text in SOURCES.items()}
    for name, text in SOURCES.items():
        assert tree(changed[name]) != tree(text) or '"""' not in text
        assert tree(changed[name], docstrings=False) == tree(text, docstrings=False)


def test_significant_edits_make_another_program():
    for name, text in SOURCES.items():
        assert tree(significant(name)(text)) != tree(text)
