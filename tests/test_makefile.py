"""What the Makefile refuses, it refuses in a sentence and before anything is set up."""

import os
import subprocess

import pytest

from checkouts import PROJECT


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("CORES=abc", 'CORES is "abc"; give a number of cores, 1 or more, or all'),
        ("CORES=0", 'CORES is "0"; give a number'),
        ("CORES=", 'CORES is ""; give a number'),
        ("PRESET=papre", 'There is no preset "papre"; choose one of: laptop'),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting, told):
    # as from a shell, not from the make that runs the tests
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for command in ("run", "verify", "estimate"):
        done = subprocess.run(
            ["make", command, setting], cwd=PROJECT, capture_output=True, text=True, env=outside
        )
        assert done.returncode != 0
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not done.stdout
