"""Products of signs with numbers, and their bits turned."""

import numpy as np
import pytest

from coarsegrain.rbm.training.cpu.free import packed, unpacked
from coarsegrain.rbm.training.cpu.sign_products import (
    COLUMNS,
    TABLES,
    WORD,
    aligned,
    fill_index,
    sign_products,
    transpose_bits,
)


def random_signs(rows, columns, seed=1):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (rows, columns))


def product(signs, m):
    rows, words = len(signs), signs.shape[1] // WORD
    index = np.empty((words, rows, 8), np.uint16)
    fill_index(packed(signs, words), index)
    out = aligned(rows, m.shape[1])
    sign_products(index, m, out, aligned(TABLES))
    return out


@pytest.mark.parametrize(("rows", "words", "columns"), [(1, 1, 64), (7, 3, 128), (100, 8, 64)])
def test_product_is_that_of_numpy(rows, words, columns):
    signs = random_signs(rows, words * WORD)
    m = aligned(words * WORD, columns)
    m[:] = np.random.default_rng(2).normal(size=m.shape)
    exact = signs.astype(np.float64) @ m.astype(np.float64)
    np.testing.assert_allclose(product(signs, m), exact, rtol=0, atol=3e-5)


def test_sums_are_in_the_order_that_the_code_defines():
    signs = random_signs(5, 2 * WORD)
    m = aligned(2 * WORD, COLUMNS)
    m[:] = np.random.default_rng(3).normal(size=m.shape)
    expected = np.zeros((5, COLUMNS), np.float32)
    for k in range(0, 2 * WORD, 4):
        s0, s1, s2, s3 = (signs[:, k + q, None].astype(np.float32) for q in range(4))
        expected = expected + ((s0 * m[k] + s1 * m[k + 1]) + (s2 * m[k + 2] + s3 * m[k + 3]))
    np.testing.assert_array_equal(product(signs, m), expected)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 3), (7, 2)])
def test_bits_turned_are_the_transpose(a, b):
    bits = np.random.default_rng(4).integers(0, 2**32, (WORD * a, b), dtype=np.uint32)
    turned = np.empty((WORD * b, a), np.uint32)
    transpose_bits(bits, turned)
    np.testing.assert_array_equal(unpacked(turned, WORD * a), unpacked(bits, WORD * b).T)


@pytest.mark.parametrize("units", [1, 31, 32, 33, 64])
def test_states_packed_and_unpacked_are_the_same(units):
    signs = random_signs(9, units)
    np.testing.assert_array_equal(unpacked(packed(signs, 2), units), signs)
