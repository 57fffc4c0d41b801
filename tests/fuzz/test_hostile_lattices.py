"""A forged file of lattices is lattices or is refused, though its seal is right.

Without a right seal nothing of a file reaches HDF5 (tests/test_storage.py). A forger can make one.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile_lattices import FORGERIES
from limits import refused, refused_by_stage

from coarsegrain.storage.lattices import read_lattices, write_lattices
from waiting import LIMIT

PROGRAM = Path(__file__).with_name("hostile_lattices.py")
HARMLESS = {"group_that_holds_itself", "external_link_beside_the_lattices"}
TOLD = {
    "external_storage": "spin lie in other files",
    "external_link": "spin is a link",
    "external_link_to_a_pipe": "spin is a link",
    "soft_link": "spin is a link",
    "virtual": "spin lie in other files",
    "virtual_over_a_pipe": "spin lie in other files",
    "two_gigabytes_in_one_chunk": "larger pieces",
    "half_a_gigabyte_in_a_chunk_of_the_size_declared": "larger pieces",
    "quintillion_lattices": "more than its size can hold",
    "filter_of_a_plugin": "packed with filters [32015]",
    "text_of_variable_length": "neither a short text nor a number",
    "name_with_escape_codes": r"'\x1b[31m\n'",
}


def ask(folder, *what):
    run = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), *map(str, what)],
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parent.parent)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    lines = run.stdout.splitlines()
    assert run.returncode == 0, f"status {run.returncode} after {lines[-1:]}: {run.stderr[-2000:]}"
    return lines


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each forged file was answered with."""
    lines = ask(tmp_path_factory.mktemp("forged"), *FORGERIES)
    return dict(line.split("\t") for line in lines)


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_file_is_refused_unless_its_lattices_are_lattices(name, answers):
    if name in HARMLESS:  # what else is in the file is not looked at
        assert answers[name] == "read"
    else:
        assert "set.nc" in answers[name]
        assert TOLD.get(name, "") in answers[name]


@pytest.mark.parametrize("seeds", [(0, 500), pytest.param((500, 4500), marks=pytest.mark.slow)])
def test_damage_under_a_right_seal_is_refused_or_read_within_bounds(seeds, tmp_path):
    first, last = seeds
    read = int(ask(tmp_path, first, last)[-1].split()[0])
    assert 0.2 < read / (last - first) < 0.8  # both happen


def test_terabyte_without_a_seal_is_refused_at_once(tmp_path):
    path = tmp_path / "set.nc"
    write_lattices(path, np.ones((4, 8, 8), np.int8), np.full(4, 0.4), {})
    os.truncate(path, 2**40)
    assert "cut short" in refused(read_lattices, path)


def test_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "set.nc")
    assert "is no file" in refused(read_lattices, tmp_path / "set.nc")


def test_stage_refuses_a_forged_file_with_a_sentence(tmp_path):
    ask(tmp_path, "external_link_to_a_pipe")
    told = refused_by_stage(
        "lattices.decimate_lattices", "--lattices", tmp_path / "set.nc",
        "--first", tmp_path / "out" / "first.nc", "--second", tmp_path / "out" / "second.nc",
        "--spec", '{"map": "decimation", "seed": 1}',
    )  # fmt: skip
    assert told.startswith(f"error: {tmp_path / 'set.nc'} cannot be read")
