"""Kernels for ±1 units: draws and random words."""

import numpy as np
import pytest
from scipy import stats

from coarsegrain.jit import kernel
from coarsegrain.philox import fill_with_random_words, philox4x32
from coarsegrain.rbm.training.cpu.units import drawn_bits, drawn_signs
from coarsegrain.simd import LANES, load, store

U64 = np.uint64


@kernel
def draw_all(x, words, signs, bits):
    for i in range(0, len(x), LANES):
        store(signs, i, drawn_signs(load(x, i), words, i))
        bits[i // LANES] = drawn_bits(load(x, i), words, i)


def draws(x, words):
    signs, bits = np.empty_like(x), np.empty(len(x) // LANES, np.uint32)
    draw_all(x, words, signs, bits)
    return signs, bits


def test_draws_compare_the_upper_bits_of_a_word_with_sigma_of_2x():
    rng = np.random.default_rng(2)
    x = rng.normal(0, 3, 32_000).astype(np.float32)
    words = rng.integers(0, 2**32, len(x), dtype=np.uint32)
    signs, bits = draws(x, words)
    uniform = ((words >> 9) + 0.5) / 2**23
    probability = 1 / (1 + np.exp(-2 * x.astype(np.float64)))
    clear = np.abs(uniform - probability) > 1e-6
    np.testing.assert_array_equal((signs > 0)[clear], (uniform < probability)[clear])
    ups = np.unpackbits(bits.view(np.uint8), bitorder="little").astype(bool)
    np.testing.assert_array_equal(ups, signs > 0)
    assert set(np.unique(signs)) == {-1, 1}


@pytest.mark.parametrize("x", [-4.0, -1.0, -0.1, 0.0, 0.1, 1.0, 4.0])
def test_frequency_of_up_with_philox_is_sigma_of_2x(x):
    words = np.empty(2**20, np.uint32)
    fill_with_random_words(words, 0, 3, 5, 1, U64(11), U64(13))
    signs, _ = draws(np.full(len(words), x, np.float32), words)
    p = 1 / (1 + np.exp(-2 * x))
    z = ((signs > 0).mean() - p) / np.sqrt(p * (1 - p) / len(words))
    assert abs(z) < 4


def test_units_in_fields_beyond_reach_are_certain():
    words = np.random.default_rng(3).integers(0, 2**32, LANES, dtype=np.uint32)
    words[0], words[1] = 0, 2**32 - 1
    for field in (50.0, 1e4, np.inf):
        np.testing.assert_array_equal(draws(np.full(LANES, field, np.float32), words)[0], 1)
        np.testing.assert_array_equal(draws(np.full(LANES, -field, np.float32), words)[0], -1)


def test_random_words_are_those_of_philox_and_no_products_of_promoted_integers():
    words = np.empty(32, np.uint32)
    fill_with_random_words(words, 5, 7, 2**32 - 1, 1, U64(0xDEADBEEF), U64(0x12345678))
    for q in range(8):
        counter = (U64(5 + q), U64(1), U64(2**32 - 1), U64(7))
        expected = philox4x32(*counter, U64(0xDEADBEEF), U64(0x12345678))
        assert [int(each) for each in words[q::8]] == [int(each) for each in expected]


def test_bits_of_random_words_are_even():
    words = np.empty(2**16, np.uint32)
    fill_with_random_words(words, 0, 0, 1, 0, U64(1), U64(0))
    ups = np.unpackbits(words.view(np.uint8)).reshape(-1, 32).sum(axis=0)
    chi2 = ((ups - 2**15) ** 2 / 2**14).sum()
    assert 1e-3 < stats.chi2.sf(chi2, 32) < 0.999
