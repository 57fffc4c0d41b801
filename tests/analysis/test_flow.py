"""Fixed points against flows whose fixed point is known."""

import numpy as np
import pytest

from coarsegrain.analysis.flow import fixed_point, interpolated_crossing, line_crossing

BETA = np.linspace(0.05, 0.55, 21)


def test_line_crosses_the_diagonal_where_algebra_says():
    assert line_crossing(BETA, 0.2 + 0.5 * BETA) == pytest.approx(0.4, abs=1e-12)
    assert line_crossing(BETA, 1.5 * BETA - 0.2) == pytest.approx(0.4, abs=1e-12)


def test_line_of_a_curved_flow_differs_from_its_own_crossing():
    curve = 0.4 + np.tanh(8 * (BETA - 0.4)) / 20
    assert interpolated_crossing(BETA, curve) == pytest.approx(0.4, abs=1e-3)
    assert abs(line_crossing(BETA, curve) - 0.4) > 1e-3


def test_no_crossing_is_nan():
    assert np.isnan(interpolated_crossing(BETA, BETA + 0.1))


def noisy_flow(rng, members=4, lattices=50):
    member_offsets = rng.normal(scale=0.01, size=(members, 1, 1))
    noise = rng.normal(scale=0.1, size=(members, len(BETA), lattices))
    return (0.2 + 0.5 * BETA)[None, :, None] + member_offsets + noise


def test_bootstrap_interval_covers_the_true_fixed_point_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(200):
        star, low, high = fixed_point(
            BETA, noisy_flow(rng), line_crossing, bootstrap_samples=100, rng=rng
        )
        assert low <= star <= high
        covered.append(low <= 0.4 <= high)
    # four members: the percentile bootstrap over so few is too narrow by √(3/4), so about 85 %
    assert 0.75 < np.mean(covered) < 0.97


def test_fixed_point_is_that_of_the_mean_over_members_and_lattices():
    flow = noisy_flow(np.random.default_rng(4))
    star, _, _ = fixed_point(
        BETA, flow, line_crossing, bootstrap_samples=100, rng=np.random.default_rng(0)
    )
    assert star == line_crossing(BETA, flow.mean(axis=(0, 2)))
