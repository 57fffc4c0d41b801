"""The kernels against plain Python, bit for bit."""

import math

import mpmath
import numpy as np
import plain_sampler
import pytest

from coarsegrain.ising.sampler import sample_lattices
from coarsegrain.ising.sampler.clusters import grow_clusters
from coarsegrain.ising.sampler.layout import LANES, pack_spins, row_layout, unpack_spins
from coarsegrain.ising.sampler.thresholds import thresholds

# All ways to lay out rows: two per word (with an odd number of word rows, or filling the word),
# one per word (filling it or not), several words per row (the last one full or not).
SIDES = [4, 6, 10, 32, 34, 64, 66, 128, 130]


def pack(bits: np.ndarray) -> np.ndarray:
    layout = row_layout(bits.shape[1])
    words = np.zeros((1, layout.word_rows, layout.words_per_row, LANES), np.uint64)
    pack_spins(np.where(bits, 1, -1).astype(np.int8), words, layout)
    return words[0]


@pytest.mark.parametrize("L", [*SIDES, 12, 48, 1024])
def test_unpacking_inverts_packing(L):
    layout = row_layout(L)
    n = 3 if L > 500 else LANES + 3
    spins = np.random.default_rng(L).choice(np.array([-1, 1], np.int8), size=(n, L, L))
    words = np.zeros((2, layout.word_rows, layout.words_per_row, LANES), np.uint64)
    pack_spins(spins, words, layout)
    back = np.zeros_like(spins)
    unpack_spins(words, back, layout)
    np.testing.assert_array_equal(back, spins)


@pytest.mark.parametrize("L", SIDES)
def test_wolff_cluster_is_the_flood_fill_through_the_same_bonds(L):
    rng = np.random.default_rng(L)
    layout = row_layout(L)
    # from few bonds through the percolation threshold 1/2 to all bonds, one density per lane
    density = np.linspace(0.2, 1.0, LANES)[:, None, None]
    right, down = rng.random((2, LANES, L, L)) < density
    seeds = np.zeros((LANES, L, L), bool)
    sites = rng.integers(L, size=(LANES, 2))
    seeds[np.arange(LANES), sites[:, 0], sites[:, 1]] = True

    vertical = np.zeros((layout.word_rows + 1, layout.words_per_row, LANES), np.uint64)
    vertical[1:] = pack(down)
    vertical[0] = pack(np.roll(down, 1, axis=1))[0]
    cluster = pack(seeds)
    grow_clusters(cluster, pack(right), vertical, layout)
    grown = np.zeros((LANES, L, L), np.int8)
    unpack_spins(cluster[None], grown, layout)

    for lane in range(0, LANES, 1 if L < 60 else 7):
        expected = np.full((L, L), -1)
        site = tuple(int(k) for k in sites[lane])
        for y, x in plain_sampler.flood_fill(L, site, right[lane].tolist(), down[lane].tolist()):
            expected[y, x] = 1
        np.testing.assert_array_equal(grown[lane], expected, err_msg=f"lane {lane}")


@pytest.mark.parametrize("L", [4, 6, 32])
def test_a_cluster_winds_along_a_spiral_of_bonds(L):
    # One path through all rows that crosses both seams: the worst case of row-wise growth.
    layout = row_layout(L)
    right, down = np.ones((LANES, L, L), bool), np.zeros((LANES, L, L), bool)
    right[:, :, L // 2] = False  # each row is cut once, so that it wraps around the seam
    down[:, np.arange(L), np.where(np.arange(L) % 2, L // 2, L // 2 + 1)] = True
    seeds = np.zeros((LANES, L, L), bool)
    seeds[:, L - 1, L // 2] = True
    vertical = np.zeros((layout.word_rows + 1, layout.words_per_row, LANES), np.uint64)
    vertical[1:] = pack(down)
    vertical[0] = pack(np.roll(down, 1, axis=1))[0]
    cluster = pack(seeds)
    grow_clusters(cluster, pack(right), vertical, layout)
    grown = np.zeros((LANES, L, L), np.int8)
    unpack_spins(cluster[None], grown, layout)
    assert (grown == 1).all()


@pytest.mark.parametrize(("L", "steps"), [(4, 8), (6, 8), (12, 4), (32, 3), (34, 3), (64, 2)])
def test_lattices_are_those_of_the_plain_python_sampler(L, steps):
    betas = np.array([0.0, 0.2, 0.4352, 0.6])
    seed, first = 0xFEDCBA9876543210, 1000
    spins = sample_lattices(betas, L, seed=seed, first_lattice=first, steps=steps)
    for i, expected in enumerate(zip(*(t.tolist() for t in thresholds(betas)))):
        plain = plain_sampler.sample(L, first + i, seed, steps, *expected)
        np.testing.assert_array_equal(spins[i], plain, err_msg=f"β = {betas[i]}")


@pytest.mark.slow
@pytest.mark.parametrize("L", [66, 130])
def test_lattices_of_several_words_per_row_are_those_of_the_plain_python_sampler(L):
    betas = np.array([0.3, 0.45])
    spins = sample_lattices(betas, L, seed=7, steps=2)
    for i, expected in enumerate(zip(*(t.tolist() for t in thresholds(betas)))):
        np.testing.assert_array_equal(spins[i], plain_sampler.sample(L, i, 7, 2, *expected))


def test_thresholds_are_the_probabilities_to_a_unit_in_the_last_place():
    rng = np.random.default_rng(5)
    some = [0.0, 1e-300, 1e-18, 1e-12, 0.01, 0.1732, 0.1733, 0.4352, 0.6, 5.0, 30.0]
    betas = np.concatenate([some, rng.uniform(0, 0.02, 300), rng.uniform(0, 1.0, 1500)])
    with mpmath.workdps(50):
        for i, beta in enumerate(map(mpmath.mpf, betas.tolist())):
            exact = (
                1 - mpmath.exp(-2 * beta),
                1 / (1 + mpmath.exp(4 * beta)),
                1 / (1 + mpmath.exp(8 * beta)),
            )
            for threshold, p in zip(thresholds(betas), exact):
                error = abs(mpmath.mpf(int(threshold[i])) / 2**64 - p)
                last_place = mpmath.mpf(2) ** (math.frexp(float(p))[1] - 53)
                assert error <= last_place + mpmath.mpf(2) ** -64


def test_thresholds_do_not_depend_on_their_company():
    betas = np.random.default_rng(6).uniform(0, 0.6, 101)
    together = np.array(thresholds(betas))
    alone = np.array([thresholds(betas[i : i + 1]) for i in range(len(betas))])
    np.testing.assert_array_equal(together, alone[:, :, 0].T)


def test_thresholds_of_the_limits():
    cold = thresholds(np.array([400.0]))
    assert [int(t[0]) for t in cold] == [2**64 - 1, 0, 0]
    hot = thresholds(np.array([0.0]))
    assert [int(t[0]) for t in hot] == [0, 2**63, 2**63]
