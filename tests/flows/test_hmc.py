"""Hybrid Monte Carlo against densities that are known in closed form."""

import numpy as np
import pytest

from coarsegrain.flows.hmc import ACCEPTANCE, Point, run_chains, trajectory

#: A rotated Gaussian whose standard deviations are 0.5 to 3.
DEVIATIONS = np.array([0.5, 0.8, 1.0, 1.5, 3.0])
ROTATION = np.linalg.qr(np.random.default_rng(7).standard_normal((5, 5)))[0]
PRECISION = ROTATION @ np.diag(DEVIATIONS**-2) @ ROTATION.T
CENTRE = np.array([1.0, -2.0, 0.0, 0.5, 3.0])


def gaussian(x):
    away = x - CENTRE
    gradient = away @ PRECISION
    return (away * gradient).sum(axis=1) / 2, gradient


def exact_samples(n, rng):
    return CENTRE + (rng.standard_normal((n, 5)) * DEVIATIONS) @ ROTATION.T


def chains(observe, *, seed=1, n=200, trajectories=200, step_size=0.3, burn_in=60):
    return run_chains(
        gaussian, np.zeros((n, 5)), observe, trajectories=trajectories, burn_in=burn_in,
        leapfrogs=5, step_size=step_size, rng=np.random.default_rng(seed),
    )  # fmt: skip


def error(observed):
    return observed.mean(axis=0).std(ddof=1) / np.sqrt(observed.shape[1])


@pytest.mark.parametrize("direction", range(5))
def test_means_and_variances_are_those_of_the_gaussian(direction):
    found = chains(lambda x: (x - CENTRE) @ ROTATION[:, direction], seed=direction).observed
    assert abs(found.mean()) < 4 * error(found)
    assert abs((found**2).mean() - DEVIATIONS[direction] ** 2) < 4 * error(found**2)


def test_small_steps_are_all_accepted_and_large_ones_none():
    rng = np.random.default_rng(2)
    x = exact_samples(500, rng)
    at = Point(x, *gaussian(x))
    shares = [trajectory(gaussian, at, e, 5, rng=rng).accepted.mean() for e in (0.01, 0.6, 5.0)]
    assert shares[0] == 1
    assert 0.5 < shares[1] < 1
    assert shares[2] == 0


def test_rises_of_the_energy_fulfil_creutz_identity():
    """⟨exp(−ΔH)⟩ = 1: volume is preserved and trajectories can be reversed."""
    rng = np.random.default_rng(3)
    x = exact_samples(20_000, rng)
    rise = trajectory(gaussian, Point(x, *gaussian(x)), 0.6, 5, rng=rng).rise
    assert rise.std() > 0.3
    weights = np.exp(-rise)
    assert abs(weights.mean() - 1) < 4 * weights.std() / np.sqrt(len(x))


@pytest.mark.parametrize("start", [0.01, 3.0])
def test_the_step_size_is_tuned_to_the_acceptance_from_either_side(start):
    found = chains(lambda x: x[:, 0], step_size=start, trajectories=100)
    assert abs(found.acceptance.mean() - ACCEPTANCE) < 0.03


def test_energies_that_are_no_numbers_are_refused():
    def wall(x):
        return np.where(x[:, 0] < 0, np.nan, x[:, 0]), np.ones_like(x)

    x = np.full((300, 1), 0.2)
    moved = trajectory(wall, Point(x, *wall(x)), 0.5, 4, rng=np.random.default_rng(4))
    assert (moved.at.position > 0).all()
    assert not moved.accepted.all()


def test_a_rejected_trajectory_leaves_the_chain_where_it_was():
    x = exact_samples(300, np.random.default_rng(5))
    moved = trajectory(gaussian, Point(x, *gaussian(x)), 0.9, 5, rng=np.random.default_rng(6))
    stays = ~moved.accepted
    assert 0 < stays.sum() < 300
    assert (moved.at.position[stays] == x[stays]).all()
    energy, gradient = gaussian(moved.at.position)
    assert np.allclose(moved.at.energy, energy)
    assert np.allclose(moved.at.gradient, gradient)


def test_jitter_mixes_a_direction_whose_half_period_is_the_trajectory():
    """With all trajectories of that length the variance of a start at 0 would stay far too low."""

    def circle(x):
        return (x**2).sum(axis=1) / 2, x

    found = run_chains(
        circle, np.full((400, 1), 2.0), lambda x: x[:, 0], trajectories=60, burn_in=0,
        leapfrogs=20, step_size=np.pi / 20, rng=np.random.default_rng(8),
    )  # fmt: skip
    late = found.observed[30:]
    assert abs((late**2).mean() - 1) < 4 * error(late**2)
