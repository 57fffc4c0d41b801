"""The same tables on every processor: those on record, and those with kernels for lesser ones."""

import hashlib

import pytest

from checkouts import PROJECT
from coarsegrain.processor import vector_bits

RECORD = PROJECT / "tests/reference/smoke-tables.sha256"
#: Names that numba knows, by the width of their vectors in bits. Nehalem has no multiply-add.
LESSER = {bits: name for bits, name in ((256, "haswell"), (128, "nehalem")) if bits < vector_bits()}
ANOTHER_NUMBER = (
    "these tables are not those on record. If a change of the code was meant to change them, write "
    "them anew: in the tables' folder, sha256sum *.csv > tests/reference/smoke-tables.sha256; and "
    "say so in CHANGELOG.md."
)

pytestmark = pytest.mark.slow


def checksums(tables):
    return {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()}


def test_tables_are_those_on_record(recorded_run_of_all):
    run, _ = recorded_run_of_all
    lines = RECORD.read_text().splitlines()
    on_record = {name: checksum for checksum, name in (line.split() for line in lines)}
    found = checksums(run.tables())
    differing = sorted(name for name in found | on_record if found.get(name) != on_record.get(name))
    assert not differing, ANOTHER_NUMBER


@pytest.mark.parametrize("bits", LESSER)
def test_a_lesser_processor_gives_the_same_tables(bits, recorded_smoke_run, checkout):
    """Of study A; kernels of the others are compared one by one, in tests/rbm and tests/flows."""
    tables = recorded_smoke_run[0].tables()
    wanted = [f"results/smoke/tables/{name}" for name in tables]
    less = {"NUMBA_CPU_NAME": LESSER[bits], "NUMBA_CPU_FEATURES": ""}
    done = checkout.smoke(*wanted, variables=less)
    assert done.returncode == 0, done.stdout
    ours = checkout.tables()
    assert sorted(ours) == sorted(tables)
    assert [name for name in tables if ours[name] != tables[name]] == []
