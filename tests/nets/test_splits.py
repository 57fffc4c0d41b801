from hypothesis import given
from hypothesis import strategies as st

from coarsegrain.nets.splits import number_for_testing, split


def test_the_papers_30000_lattices_leave_19200_for_training():
    tested = number_for_testing(30_000, 0.2)
    train, validation = split(30_000 - tested, validation_fraction=0.2)
    assert (train.stop - train.start, validation.stop - validation.start) == (19_200, 4_800)
    assert tested == 6_000


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_every_lattice_is_in_exactly_one_part(number, validation_fraction):
    train, validation = split(number, validation_fraction=validation_fraction)
    assert (train.start, train.stop, validation.stop) == (0, validation.start, number)
    assert 0 <= train.stop <= number
