"""Splits cover all lattices, once."""

from hypothesis import given
from hypothesis import strategies as st

from coarsegrain.nets.splits import split


def test_the_papers_30000_lattices_leave_19200_for_training():
    parts = split(30_000, test_fraction=0.2, validation_fraction=0.2)
    assert [part.stop - part.start for part in parts] == [19_200, 4_800, 6_000]


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_every_lattice_is_in_exactly_one_part(number, test_fraction, validation_fraction):
    parts = split(number, test_fraction=test_fraction, validation_fraction=validation_fraction)
    assert [i for part in parts for i in range(number)[part]] == list(range(number))
