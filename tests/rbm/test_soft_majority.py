"""Fits of the soft majority kernel to units whose answer is known."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from coarsegrain.rbm.soft_majority import fit_block, fit_conditional


def block(row, col, weight, L=8):
    field = np.zeros((L, L))
    field[:2, :2] = weight
    return np.roll(field, (row, col), axis=(0, 1))


def spins(n=400, L=8, seed=1):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n, L, L))


FIELDS = np.random.default_rng(2).normal(size=(6, 8, 8))


@pytest.mark.parametrize(("row", "col"), [(0, 0), (3, 6), (7, 7)])
@pytest.mark.parametrize("weight", [0.4, -1.3])
def test_a_soft_majority_is_found_with_its_place_and_scale(row, col, weight):
    fit = fit_block(block(row, col, weight)[None])
    assert (fit.row[0], fit.col[0], fit.sign[0]) == (row, col, np.sign(weight))
    assert fit.scale[0] == pytest.approx(abs(weight))
    assert fit.cosine[0] == pytest.approx(1)
    assert fit.uneven[0] + fit.ring[0] + fit.beyond[0] == pytest.approx(0, abs=1e-12)
    own = fit_conditional(block(row, col, weight)[None], fit, spins())
    assert own.scale[0] == pytest.approx(abs(weight), rel=1e-9)
    assert own.kl[0] == pytest.approx(0, abs=1e-12)
    assert own.blind[0] > 0.1


def test_the_block_and_scale_are_those_of_least_squares():
    fit = fit_block(FIELDS)
    for unit, field in enumerate(FIELDS):
        best = min(
            (((field - block(row, col, w)) ** 2).sum(), row, col)
            for row in range(8)
            for col in range(8)
            for w in [field[np.ix_([row, (row + 1) % 8], [col, (col + 1) % 8])].mean()]
        )
        assert best[1:] == (fit.row[unit], fit.col[unit])
        assert best[0] == pytest.approx((1 - fit.cosine[unit] ** 2) * (field**2).sum())


def test_what_is_left_over_adds_up_with_the_cosine():
    fit = fit_block(FIELDS)
    np.testing.assert_allclose(fit.cosine**2 + fit.uneven + fit.ring + fit.beyond, 1)


def test_what_is_left_over_is_told_by_its_distance():
    # a star: 1.39 in the block, 0.72 beside it, 0.32 at its corners
    star = np.zeros((1, 8, 8))
    star[0, 2:6, 2:6] = 0.72
    star[0, [2, 2, 5, 5], [2, 5, 2, 5]] = 0.32
    star[0, 3:5, 3:5] = 1.39
    star[0, 0, 0] = 0.1
    fit = fit_block(star)
    total = 4 * 1.39**2 + 8 * 0.72**2 + 4 * 0.32**2 + 0.01
    assert fit.cosine[0] == pytest.approx((4 * 1.39**2 / total) ** 0.5)
    assert fit.ring[0] == pytest.approx((8 * 0.72**2 + 4 * 0.32**2) / total)
    assert fit.beyond[0] == pytest.approx(0.01 / total)
    assert fit.uneven[0] == pytest.approx(0, abs=1e-12)
    assert fit.scale[0] == pytest.approx(1.39)


def test_the_nearest_kernel_is_that_of_a_direct_minimization():
    seen = spins()
    fit = fit_block(FIELDS)
    found = fit_conditional(FIELDS, fit, seen)
    for unit, field in enumerate(FIELDS):
        x = (seen * field).sum(axis=(1, 2))
        p = 1 / (1 + np.exp(-2 * np.array([x, -x])))
        rows, cols = (fit.row[unit] + [0, 1]) % 8, (fit.col[unit] + [0, 1]) % 8
        S = fit.sign[unit] * seen[:, rows][:, :, cols].sum(axis=(1, 2), dtype=int)

        def divergence(w, p=p, S=S):
            q = 1 / (1 + np.exp(-2 * w * np.array([S, -S])))
            return (p * np.log(p / q)).sum(axis=0).mean()

        best = minimize_scalar(divergence, bounds=(0, 5), method="bounded", options={"xatol": 1e-9})
        assert found.scale[unit] == pytest.approx(best.x, abs=1e-5)
        assert found.kl[unit] == pytest.approx(divergence(best.x), abs=1e-9)
        assert found.blind[unit] == pytest.approx(divergence(0.0), abs=1e-12)
        assert found.told[unit] == pytest.approx(1 - divergence(best.x) / divergence(0.0))


def test_a_unit_without_weights_is_no_soft_majority():
    fit = fit_block(np.zeros((1, 8, 8)))
    assert (fit.cosine[0], fit.scale[0], fit.beyond[0]) == (0, 0, 1)
    own = fit_conditional(np.zeros((1, 8, 8)), fit, spins())
    assert (own.scale[0], own.kl[0], own.blind[0], own.told[0]) == (0, 0, 0, 0)
