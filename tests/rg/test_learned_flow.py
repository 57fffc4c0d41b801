"""The learned flow against flows that are known: of a made-up length, and of the Ising ring."""

import numpy as np
import pytest

from coarsegrain.errors import TrainingError
from coarsegrain.ising.ring import decimated_coupling, log_correlation_length
from coarsegrain.rg.learned_flow import FlowSettings, learn_flow

BETWEEN = np.linspace(0.2, 1.5, 27)
QUICK = FlowSettings(0.15, 1.6, couplings=24, steps=1_500)


def square_length(K):
    """ln ξ of ξ = K², whose flow is K' = K/√b."""
    return 2 * np.log(K), 2 / K


@pytest.mark.parametrize("b", [2, 3, 5])
def test_flow_of_a_length_that_is_no_ising_models_is_learned_too(b):
    flow = learn_flow(square_length, b, QUICK, rng=np.random.default_rng(b))
    np.testing.assert_allclose(flow(BETWEEN), BETWEEN / np.sqrt(b), rtol=0, atol=3e-3)


@pytest.mark.parametrize("b", [2, 3])
def test_short_training_on_the_exact_length_comes_near_the_decimated_coupling(b):
    flow = learn_flow(log_correlation_length, b, QUICK, rng=np.random.default_rng(1))
    exact = [decimated_coupling(K, b) for K in BETWEEN.tolist()]
    np.testing.assert_allclose(flow(BETWEEN), exact, rtol=0, atol=3e-3)
    assert flow.loss < 1e-4


def test_same_seed_gives_the_same_bits_and_another_one_another_net():
    flows = [
        learn_flow(log_correlation_length, 2, QUICK, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(flows[0].parameters, flows[1].parameters)
    assert (flows[0].parameters != flows[2].parameters).any()


def test_couplings_shrink_wherever_the_net_is_asked():
    flow = learn_flow(square_length, 2, QUICK, rng=np.random.default_rng(1))
    K = np.linspace(0.01, 5, 100)
    assert ((flow(K) > 0) & (flow(K) < K)).all()


def test_loss_is_of_the_logarithm_unless_it_is_said_to_be_plain():
    couplings = np.linspace(0.15, 1.6, 24)
    for kind in ("log", "plain"):
        settings = FlowSettings(0.15, 1.6, couplings=24, steps=1, loss=kind)
        flow = learn_flow(square_length, 2, settings, rng=np.random.default_rng(1))
        xi, wanted = flow(couplings) ** 2, couplings**2 / 2
        difference = np.log(xi / wanted) if kind == "log" else xi - wanted
        assert flow.loss == pytest.approx((difference**2).mean(), rel=1e-12)


def test_gradient_of_either_loss_lowers_it():
    for kind in ("log", "plain"):
        settings = FlowSettings(0.15, 1.6, couplings=24, steps=1, loss=kind)
        rng = np.random.default_rng
        longer = FlowSettings(0.15, 1.6, couplings=24, steps=300, loss=kind)
        before = learn_flow(square_length, 2, settings, rng=rng(1)).loss
        assert learn_flow(square_length, 2, longer, rng=rng(1)).loss < 1e-2 * before


def test_numbers_that_are_not_finite_are_refused():
    def broken(K):
        return np.full_like(K, np.nan), np.ones_like(K)

    with pytest.raises(TrainingError, match="loss of the flow for b = 2 is nan"):
        learn_flow(broken, 2, QUICK, rng=np.random.default_rng(1))


@pytest.mark.slow
@pytest.mark.parametrize("b", [2, 3])
def test_flow_from_the_exact_length_is_decimation_to_one_in_ten_thousand(b):
    settings = FlowSettings(0.15, 1.6, couplings=24, steps=30_000)
    flow = learn_flow(log_correlation_length, b, settings, rng=np.random.default_rng(0))
    exact = [decimated_coupling(K, b) for K in BETWEEN.tolist()]
    np.testing.assert_allclose(flow(BETWEEN), exact, rtol=0, atol=1e-4)
