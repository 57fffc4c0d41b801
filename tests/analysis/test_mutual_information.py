"""Mutual information: against the normal distribution's, and pairs of every scale."""

import math

import numpy as np
import pytest
from scipy import stats

from coarsegrain.analysis.information_by_scale import information_by_scale, nearest_pairs
from coarsegrain.analysis.mutual_information import mutual_information


def normal_pairs(correlation, samples, seed):
    rng = np.random.default_rng(seed)
    covariance = [[1, correlation], [correlation, 1]]
    return rng.multivariate_normal([0, 0], covariance, size=samples).T


def repeated(correlation, *, samples=1000, repeats=30, **options):
    return np.array(
        [mutual_information(*normal_pairs(correlation, samples, k), **options)
         for k in range(repeats)]
    )  # fmt: skip


@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.5, 0.9])
@pytest.mark.parametrize("neighbours", [3, 6])
def test_information_of_normal_variables_is_that_of_their_correlation(correlation, neighbours):
    found = repeated(correlation, neighbours=neighbours)
    exact = -math.log(1 - correlation**2) / 2
    assert abs(found.mean() - exact) < 4 * stats.sem(found)
    assert stats.sem(found) < 0.01


def test_information_that_no_correlation_tells_of_is_found():
    """x uniform in (−1, 1), y = |x| + e with e uniform in (0, 1): I = h(y) − h(e) = 1/2 nat."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(30):
        x, e = rng.uniform(-1, 1, 1000), rng.uniform(0, 1, 1000)
        found.append(mutual_information(x, np.abs(x) + e))
    assert abs(np.mean(found) - 0.5) < 0.05  # the density has edges, which cost a few percent


def test_monotone_maps_change_nothing_but_noise():
    exact = -math.log(1 - 0.25) / 2
    changed = np.array(
        [
            mutual_information(np.exp(x / 2), -np.sinh(y))
            for x, y in (normal_pairs(0.5, 1000, k) for k in range(30))
        ]
    )
    assert abs(changed.mean() - exact) < 4 * stats.sem(changed) + 0.005


def test_shuffled_variables_share_nothing():
    rng = np.random.default_rng(1)
    found = [
        mutual_information(x, rng.permutation(y))
        for x, y in (normal_pairs(0.9, 1000, k) for k in range(30))
    ]
    assert abs(np.mean(found)) < 4 * stats.sem(found)
    assert min(found) < 0  # nothing is clipped


def test_information_is_symmetric_and_knows_no_units():
    x, y = normal_pairs(0.7, 500, 1)
    found = mutual_information(x, y)
    assert mutual_information(y, x) == pytest.approx(found, abs=1e-12)
    assert mutual_information(1024 * x, 1024 * y) == pytest.approx(found, abs=1e-12)


def test_neighbours_are_counted_as_in_plain_loops():
    x, y = normal_pairs(0.6, 60, 1)
    terms = []
    for i in range(60):
        dx, dy = np.abs(x - x[i]), np.abs(y - y[i])
        reach = np.sort(np.maximum(dx, dy))[3]
        # digamma(n + 1) = −γ + 1 + 1/2 + … + 1/n
        counts = [sum(1 / m for m in range(1, (d < reach).sum())) for d in (dx, dy)]
        terms.append(sum(counts) - 2 * np.euler_gamma)
    of_k = sum(1 / m for m in range(1, 3)) + sum(1 / m for m in range(1, 60)) - 2 * np.euler_gamma
    assert mutual_information(x, y) == pytest.approx(of_k - np.mean(terms), abs=1e-12)


def test_too_few_or_equal_samples_are_refused():
    with pytest.raises(ValueError, match="3 samples have no 3 nearest neighbours"):
        mutual_information(np.arange(3.0), np.arange(3.0))
    with pytest.raises(ValueError, match="more than 3 samples are equal"):
        mutual_information(np.ones(20), np.ones(20))


@pytest.mark.parametrize("L", [4, 8, 16])
def test_pairs_are_of_sites_that_a_scale_keeps_and_the_next_does_not(L):
    for pairs in nearest_pairs(L):
        row, column = np.divmod(pairs.sites, L)
        assert (np.gcd(np.gcd(row, column), L) == pairs.scale).all()
        apart = [np.minimum(abs(each[:, 0] - each[:, 1]), L - abs(each[:, 0] - each[:, 1]))
                 for each in (row, column)]  # fmt: skip
        np.testing.assert_allclose(np.hypot(*apart), pairs.distance)
        assert len({tuple(each) for each in pairs.sites.tolist()}) == len(pairs.sites)


def test_all_nearest_pairs_of_a_scale_are_there():
    """Of N sites half have a neighbour to the right of their scale, and as many below."""
    found = {(each.scale, round(each.distance**2)): len(each.sites) for each in nearest_pairs(8)}
    assert found == {
        (1, 1): 64, (1, 2): 64, (2, 4): 16, (2, 8): 16, (4, 16): 2, (4, 32): 1,
    }  # fmt: skip


def test_information_by_scale_is_that_of_a_field_whose_correlations_are_known():
    rng = np.random.default_rng(1)
    wave = rng.standard_normal((1000, 8, 1))
    fields = np.sqrt(0.6) * wave + np.sqrt(0.4) * rng.standard_normal((1000, 8, 8))
    found = information_by_scale(fields, rng=rng, most_pairs=6)
    assert [each.scale for each in found] == [1, 1, 2, 2, 4, 4]
    assert [each.pairs for each in found] == [6, 6, 6, 6, 2, 1]
    for each in found:
        assert abs(each.null) < 4 * each.null_error
        diagonal = each.distance > 1.2 * each.scale
        if diagonal:  # in other rows
            assert abs(each.nats) < 4 * each.error
        else:  # pairs in a row have the correlation 0.6, those in a column none
            assert each.nats > 4 * each.error
