"""Sidecars and certificates are what they say or are refused; their names reach no command line."""

import copy
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import judged, refused, refused_by_stage

from coarsegrain.storage.json_files import MOST_BYTES, read_json
from pipeline.sidecars import (
    Record,
    UnreadableRecordError,
    read_record,
    sidecar_path,
    write_sidecar,
)
from pipeline.staleness.changes import described
from stages.lattices.collect_certificates import read_certificate

CERTIFICATE = {
    "set": "wide_range/AE-WR/member-0",
    "passed": True,
    "level_per_test": 2.5e-8,
    "tests": [
        {
            "name": "energy", "beta_min": 0.4, "beta_max": 0.4, "statistic": -1.5, "p_value": 0.2,
            "detail": "", "score": -1.2, "passed": True,
        }
    ],
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["\0", "\x1b[2J", "\ud800", "\n", "\u202e", "../../etc", "$(touch ran)",
                       "=1+1", "x" * 5000, 10**400, "a" * 64]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
BOMBS = {
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "long integer": b"9" * 5000,
    "infinite": b'{"a": 1e999}',
    "NaN": b'{"a": NaN}',
    "two entries": b'{"a": 1, "a": 2}',
    "surrogate": rb'{"a": "\ud800"}',
    "no text": b"\xff\xfe{\0}\0",
    "empty": b"",
    "too large": b"[" + b"[]," * (MOST_BYTES // 3) + b"[]]",
}


@pytest.fixture
def made(tmp_path):
    """A file with its sidecar, and the sidecar's content."""
    path = tmp_path / "a.nc"
    path.write_text("lattices\n")
    write_sidecar(
        path, content=path, stage="stages.lattices.sample_lattices",
        spec={"L": 8, "betas": {"grid": [0.4]}},
        code="0123456789abcdef", inputs={"lattices": [(path, "b" * 64)]}, facts={"device": "cpu"},
    )  # fmt: skip
    return path


@pytest.mark.parametrize("kind", BOMBS)
def test_json_that_is_a_bomb_or_ambiguous_is_refused(kind, tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(BOMBS[kind])
    refused(read_json, path)
    refused(read_certificate, path)


def test_as_much_json_as_is_read_stays_below_a_gigabyte(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b"[]," * (MOST_BYTES // 3 - 2) + b"[]]")
    assert len(judged(read_json, path)) > 600_000


def edit(value, data):
    """A value with something else somewhere inside."""
    if isinstance(value, dict | list) and value and data.draw(st.booleans()):
        inside = copy.copy(value)
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.integers(0, 4)) == 0:
            del inside[key]
        else:
            inside[key] = edit(value[key], data)
        return inside
    return data.draw(ANYTHING)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_edited_certificate_is_refused_or_fits_the_table(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("certificate") / "a.json"
    path.write_text(json.dumps(edit(CERTIFICATE, data)))
    answer = judged(read_certificate, path)
    if isinstance(answer, str):
        assert str(path) in answer
        return
    for test in answer["tests"]:
        assert test["name"].isprintable()
        assert test["name"][0].isalpha()
        assert f"{test['statistic']:.3f} {test['p_value']:.3f} {test['score']:.3f}"


def test_certificate_as_it_is_written_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(CERTIFICATE))
    assert read_certificate(path) == CERTIFICATE


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_edited_sidecar_is_a_record_or_unreadable(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("sidecar") / "a.nc"
    told = {
        "file": "a.nc", "sha256": "a" * 64, "stage": "stages.a",
        "spec": {"L": 8, "b": [1, {"c": 2}]}, "code": "0" * 16,
        "inputs": {"lattices": [{"file": "b.nc", "sha256": "b" * 64}]},
    }  # fmt: skip
    sidecar_path(path).write_text(json.dumps(edit(told, data)))
    record = judged(read_record, path, ends="")  # a clause for a list, not a sentence
    if isinstance(record, str):
        assert record.startswith("its sidecar ")
        return
    assert isinstance(record, Record)
    assert described(record.spec, {"L": 16}).isprintable()
    files = [text for pairs in record.inputs.values() for pair in pairs for text in pair]
    assert all(text.isprintable() for text in (record.stage, record.code, *record.inputs, *files))


@pytest.mark.parametrize("kind", BOMBS)
def test_sidecar_that_is_a_bomb_is_unreadable(kind, made):
    sidecar_path(made).write_bytes(BOMBS[kind])
    with pytest.raises(UnreadableRecordError, match=r"^its sidecar is no JSON$"):
        read_record(made)


def test_sidecar_that_is_a_pipe_is_unreadable(made):
    sidecar_path(made).unlink()
    os.mkfifo(sidecar_path(made))
    with pytest.raises(UnreadableRecordError, match="its sidecar is no JSON"):
        read_record(made)


def test_stage_refuses_a_certificate_that_is_none_with_a_sentence(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(CERTIFICATE | {"set": '=HYPERLINK("http://a")'}))
    told = refused_by_stage(
        "lattices.collect_certificates",
        "--certificates",
        path,
        "--table",
        tmp_path / "out" / "t.csv",
    )
    assert told.startswith(f"error: {path} is no certificate of a set of lattices; delete")
