"""Bonds and islands against lattices where they can be counted by hand, and against the energy."""

import numpy as np
import pytest

from coarsegrain.analysis.local_order import correlation, majority_filter, share_of_islands
from coarsegrain.ising.exact import energy_per_site as exact_energy
from coarsegrain.ising.observables import energy_per_site
from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.rg.decimation import decimate


@pytest.fixture
def spins():
    return np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (20, 6, 6))


def test_neighbours_correlations_are_the_energy(spins):
    np.testing.assert_allclose(correlation(spins, 1), -energy_per_site(spins) / 2, atol=1e-15)
    sampled = sample_lattices(np.full(400, 0.4), 8, seed=2)
    found = correlation(sampled, 1)
    error = found.std(ddof=1) / len(found) ** 0.5
    assert abs(found.mean() + exact_energy(0.4, 8) / 2) < 4 * error


def test_decimated_twice_neighbours_were_two_sites_apart(spins):
    """On one of the four sublattices; on average over all of them the two are the same."""
    shifted = [np.roll(spins, (i, j), axis=(1, 2)) for i in (0, 1) for j in (0, 1)]
    decimated = np.mean([correlation(decimate(each, 2), 1) for each in shifted], axis=0)
    np.testing.assert_allclose(decimated, correlation(spins, 2), atol=1e-15)


def test_islands_are_counted_one_by_one(spins):
    lone = np.ones((1, 6, 6), dtype=np.int8)
    lone[0, 2, 3] = lone[0, 0, 0] = -1  # one of them over the edge
    lone[0, 4, 0] = lone[0, 4, 1] = -1  # two side by side are none
    assert share_of_islands(lone) == 2 / 36
    for lattice, share in zip(spins, share_of_islands(spins)):
        islands = sum(
            all(
                lattice[(i + di) % 6, (j + dj) % 6] == -lattice[i, j]
                for di, dj in ((0, 1), (0, -1), (1, 0), (-1, 0))
            )
            for i in range(6)
            for j in range(6)
        )
        assert share == islands / 36


def test_the_majority_filter_removes_islands_and_keeps_the_rest():
    lattice = np.ones((1, 8, 8), dtype=np.int8)
    lattice[0, :, :4] = -1
    kept = lattice.copy()
    lattice[0, 2, 1], lattice[0, 5, 6] = 1, -1
    assert (majority_filter(lattice) == kept).all()
    assert set(np.unique(majority_filter(-lattice))) == {-1, 1}
