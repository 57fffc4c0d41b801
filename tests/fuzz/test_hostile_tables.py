"""A table is read as text and numbers, or refused; what it holds runs nowhere."""

import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import judged, refused, refused_by_stage

from coarsegrain.storage.tables import LONGEST_NUMBER, MOST_BYTES, MOST_CELLS, read_table

CELLS = [
    "a", "1", "-1.5", "nan", "inf", "1e999", "9" * 400, "=1+1", "@SUM(1)", "+cmd|' /C calc'!A0",
    '"', '""', '"a,b"', '"\n"', "", " ", "True", "\x1b[2J", "\u202e", "\u2028", "\r", "٣", "1_0",
    "0x1", "\ufeff", "1j", "None", "x" * 140_000,
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(CELLS) | st.text(max_size=4), min_size=1, max_size=4)).map(
        lambda rows: "".join(",".join(row) + "\n" for row in rows).encode(errors="replace")
    )
    | st.binary(max_size=60)
)
def test_any_text_is_a_table_of_plain_values_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(content)
    answer = judged(read_table, path)
    if isinstance(answer, str):
        assert str(path) in answer
    else:
        assert {str(kind) for kind in answer.dtypes} <= {"int64", "float64", "bool", "str"}


def test_one_long_cell_does_not_take_its_length_for_every_row(tmp_path):
    """numpy's arrays of text would: here 80 GB."""
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "1\n" * 200_000 + "x" * 100_000 + "\n")
    assert isinstance(judged(read_table, path), pd.DataFrame)


def test_number_as_long_as_any_float_is_read_as_a_number(tmp_path):
    (tmp_path / "t.csv").write_text("a\n-2.2250738585072014e-308\n")
    assert read_table(tmp_path / "t.csv")["a"][0] == -2.2250738585072014e-308
    assert len("-2.2250738585072014e-308") < LONGEST_NUMBER


@pytest.mark.parametrize("line", [b"1\n", b"1,"])
def test_table_of_too_many_cells_is_refused_before_it_is_taken_apart(line, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\n" + line * (MOST_CELLS + 1) + b"\n")
    assert "larger than any table of ours" in refused(read_table, path)


def test_table_of_a_terabyte_is_refused_at_once(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\n")
    os.truncate(path, 2**40)
    assert "larger than any table of ours" in refused(read_table, path)
    assert MOST_BYTES < 2**30


def test_stage_refuses_a_table_that_is_none_with_a_sentence(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("set,test\n=1+1\n")
    told = refused_by_stage(
        "lattices.plot_certificates", "--table", path,
        "--pdf", tmp_path / "out" / "a.pdf", "--png", tmp_path / "out" / "a.png",
    )  # fmt: skip
    assert told.startswith(f"error: {path} has 1 cells in row 1 but 2 columns; delete it")
