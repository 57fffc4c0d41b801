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


def noisy_flow(rng, autoencoders=3, thermometers=4, lattices=50, spread=0.01):
    """Spreads of both nets, and noise of the lattices that all of them see."""
    noise = rng.normal(scale=0.1, size=(len(BETA), lattices))
    of_autoencoders = rng.normal(scale=spread, size=(autoencoders, 1, 1, 1))
    of_thermometers = rng.normal(scale=0.01, size=(thermometers, 1, 1))
    return (0.2 + 0.5 * BETA)[:, None] + of_autoencoders + of_thermometers + noise


def crossing(flow, rng, of=line_crossing):
    return fixed_point(BETA, flow, of, bootstrap_samples=100, rng=rng)


@pytest.mark.parametrize("of_an_autoencoder", [True, False])
def test_the_interval_covers_the_true_fixed_point_at_least_as_often_as_it_says(of_an_autoencoder):
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(300):
        flow = noisy_flow(rng) if of_an_autoencoder else noisy_flow(rng, 1, spread=0.0)[0]
        star, low, high = crossing(flow, rng)
        assert low <= star <= high
        covered.append(low <= 0.4 <= high)
    assert np.mean(covered) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 300)


def test_the_fixed_point_is_the_mean_of_all_pairs():
    flow = noisy_flow(np.random.default_rng(4))
    star, _, _ = crossing(flow, np.random.default_rng(0))
    pairs = [line_crossing(BETA, flow[i, j].mean(axis=1)) for i in range(3) for j in range(4)]
    assert star == pytest.approx(np.mean(pairs), rel=1e-12)


def test_nets_that_agree_leave_the_error_of_the_lattices():
    rng = np.random.default_rng(5)
    one = (0.2 + 0.5 * BETA)[:, None] + rng.normal(scale=0.1, size=(len(BETA), 50))
    _, low, high = fixed_point(
        BETA, np.tile(one, (3, 4, 1, 1)), line_crossing, bootstrap_samples=2000, rng=rng
    )
    # β* = a/(1 − b): its error to first order, of the means of 50 lattices at every β
    x = BETA - BETA.mean()
    weights = (1 / len(BETA) + (0.4 - BETA.mean()) * x / (x**2).sum()) / 0.5
    expected = 0.1 / np.sqrt(50) * np.sqrt((weights**2).sum())
    # resampling estimates it to 1/√(2·2000), the noise of these very lattices to 1/√(2·21·50)
    assert (high - low) / 2 / 1.959964 == pytest.approx(expected, rel=0.15)


def test_there_is_no_fixed_point_unless_every_pair_has_one():
    flow = noisy_flow(np.random.default_rng(6))
    flow[0, 0] += 1
    assert np.isnan(crossing(flow, np.random.default_rng(0), interpolated_crossing)).all()
