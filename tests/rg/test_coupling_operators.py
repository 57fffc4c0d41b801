"""Sums of products of spins against products written out site by site."""

import numpy as np
import pytest

from coarsegrain.ising.observables import energy_per_site
from coarsegrain.rg.coupling_operators import EVEN, ODD, operator_sums, terms


def random_spins(n, rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([-1, 1], dtype=np.int8), size=(n, rows, columns))


def sum_site_by_site(spins, operator):
    rows, columns = spins.shape
    return sum(
        int(np.prod([int(spins[(i + r) % rows, (j + c) % columns]) for r, c in cluster]))
        for cluster in operator.clusters
        for i in range(rows)
        for j in range(columns)
    )


@pytest.mark.parametrize("shape", [(2, 2), (3, 5), (6, 6), (4, 63), (4, 64), (3, 65), (2, 130)])
def test_sums_equal_those_over_sites_written_out(shape):
    spins = random_spins(3, *shape)
    sums = operator_sums(spins, EVEN + ODD)
    assert sums.dtype == np.int64
    wanted = [[sum_site_by_site(each, operator) for operator in EVEN + ODD] for each in spins]
    assert sums.tolist() == wanted


def test_every_sum_is_its_number_of_terms_where_all_spins_are_up():
    up = np.ones((1, 8, 8), dtype=np.int8)
    assert operator_sums(up, EVEN + ODD)[0].tolist() == [terms(each, 64) for each in EVEN + ODD]
    # written down by hand: bonds, diagonals, plaquettes, …
    assert [terms(each, 64) for each in EVEN] == [128, 128, 64, 128, 256]
    assert [terms(each, 64) for each in ODD] == [64, 256, 128]


def test_even_sums_stay_and_odd_sums_change_sign_when_all_spins_do():
    spins = random_spins(20, 8, 8)
    np.testing.assert_array_equal(operator_sums(-spins, EVEN), operator_sums(spins, EVEN))
    np.testing.assert_array_equal(operator_sums(-spins, ODD), -operator_sums(spins, ODD))


def test_sums_stay_when_lattices_are_shifted_transposed_or_reflected():
    spins = random_spins(20, 6, 6)
    sums = operator_sums(spins, EVEN + ODD)
    for same in (np.roll(spins, (1, 3), axis=(1, 2)), spins.transpose(0, 2, 1), spins[:, :, ::-1]):
        np.testing.assert_array_equal(operator_sums(same, EVEN + ODD), sums)


def test_nearest_neighbours_are_minus_the_energy():
    spins = random_spins(20, 10, 10)
    np.testing.assert_array_equal(
        operator_sums(spins, EVEN[:1])[:, 0], np.rint(-100 * energy_per_site(spins))
    )
