"""Independence Metropolis–Hastings against a discrete distribution."""

import numpy as np

from coarsegrain.flows.independence import independence_chains

P = np.array([0.5, 0.3, 0.15, 0.05])
Q = np.array([0.1, 0.2, 0.3, 0.4])


def states(proposals=400, chains=500, seed=1, constant=0.0):
    rng = np.random.default_rng(seed)
    drawn = rng.choice(4, size=(proposals, chains), p=Q)
    weights = np.log(P / Q)[drawn] + constant
    walk = independence_chains(weights, rng=rng)
    return np.take_along_axis(drawn, walk.at, axis=0), walk


def test_chains_visit_states_as_often_as_the_target():
    found, _ = states()
    for state, probability in enumerate(P):
        shares = (found[50:] == state).mean(axis=0)
        assert abs(shares.mean() - probability) < 4 * shares.std() / np.sqrt(len(shares))


def test_acceptance_is_the_mean_overlap_of_weights():
    """Σ p(x) q(y) min(1, w(y)/w(x)), exactly."""
    w = P / Q
    exact = sum(
        P[x] * Q[y] * min(1, w[y] / w[x]) for x in range(4) for y in range(4)
    )  # fmt: skip
    _, walk = states(proposals=2000)
    error = walk.acceptance.std() / np.sqrt(len(walk.acceptance))
    assert abs(walk.acceptance.mean() - exact) < 4 * error + 1 / 2000


def test_a_perfect_proposal_is_always_accepted():
    walk = independence_chains(np.full((50, 8), 3.0), rng=np.random.default_rng(2))
    assert (walk.at == np.arange(50)[:, None]).all()
    assert (walk.acceptance == 1).all()


def test_a_constant_in_the_weights_changes_nothing():
    assert (states()[1].at == states(constant=-800.0)[1].at).all()


def test_a_weight_that_nothing_reaches_is_never_left():
    weights = np.zeros((100, 4))
    weights[10] = 100
    walk = independence_chains(weights, rng=np.random.default_rng(3))
    assert (walk.at[10:] == 10).all()
