"""Orthogonal transforms along the axes of a lattice, and the kernel that applies them."""

import numpy as np
import pytest

from coarsegrain.flows.blocks import of_blocks, to_blocks
from coarsegrain.flows.coarse_variables import PASSES, transform
from coarsegrain.flows.kernels.separable import multiply_axes


@pytest.mark.parametrize("m", [2, 4, 8, 16, 32, 64])
@pytest.mark.parametrize("passes", PASSES)
def test_the_matrix_is_orthogonal_and_coarse_variables_have_the_mean(passes, m):
    matrix = transform(passes, m)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(m), atol=1e-14)
    if passes != "sites":
        np.testing.assert_allclose(matrix.sum(axis=1)[::2], np.sqrt(2), atol=1e-14)
        np.testing.assert_allclose(matrix.sum(axis=1)[1::2], 0, atol=1e-14)


def test_means_are_those_of_pairs():
    np.testing.assert_allclose(transform("means", 6)[2] * np.sqrt(2), [0, 0, 1, 1, 0, 0])


@pytest.mark.parametrize("m", [8, 32])
def test_waves_below_half_the_largest_number_go_on_and_shorter_ones_stay(m):
    """A coarse plane wave has √2 times the fine one's values at even sites, or none."""
    matrix, sites = transform("waves", m), np.arange(m)
    for k in range(m // 2):
        for shift in (0.0, 0.3):
            wave = np.cos(2 * np.pi * k * sites / m + shift)
            coarse, rest = (matrix @ wave)[::2], (matrix @ wave)[1::2]
            low, high = (np.sqrt(2), 0) if 4 * k < m else (0, np.sqrt(2)) if 4 * k > m else (1, 1)
            np.testing.assert_allclose(coarse, low * wave[::2], atol=1e-13)
            np.testing.assert_allclose(rest, high * wave[1::2], atol=1e-13)


def test_coarse_variables_of_a_lattice_moved_by_two_sites_are_moved_by_one():
    matrix, x = transform("waves", 16), np.random.default_rng(1).standard_normal(16)
    moved = matrix @ np.roll(x, 2)
    np.testing.assert_allclose(moved[::2], np.roll((matrix @ x)[::2], 1), atol=1e-13)


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("passes", PASSES)
def test_the_kernel_multiplies_rows_and_columns_of_the_lattices_of_a_step(passes, step):
    x = np.random.default_rng(2).standard_normal((40, 16, 16))
    matrix = transform(passes, 16 // step)
    blocks = to_blocks(x)
    multiply_axes(blocks, 16, step, matrix.astype(np.float32).reshape(-1))
    expected = x.copy()
    expected[:, ::step, ::step] = matrix @ x[:, ::step, ::step] @ matrix.T
    np.testing.assert_allclose(of_blocks(blocks, 16)[:40], expected, atol=2e-6)
