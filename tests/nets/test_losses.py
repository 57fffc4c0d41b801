"""Losses against their definitions, written out by hand."""

import numpy as np
import pytest
import torch

from coarsegrain.nets.losses import LOSSES, hinge, spin_accuracy

Y = np.array([[2.0, 0.5], [-0.25, 0.0]])
T = np.array([[1, 1], [1, -1]], dtype=np.int8)


def test_hinge_is_the_mean_of_one_minus_margin_where_positive():
    assert hinge(Y, T) == (0 + 0.5 + 1.25 + 1) / 4


def test_squared_hinge_and_mse_follow_their_formulas():
    assert LOSSES["squared_hinge"](Y, T) == (0 + 0.5**2 + 1.25**2 + 1) / 4
    assert LOSSES["mse"](Y, T) == (1 + 0.25 + 1.25**2 + 1) / 4


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_numpy_and_torch_give_the_same_loss(name):
    rng = np.random.default_rng(0)
    y, t = rng.normal(size=(7, 5)), rng.choice(np.array([-1, 1], dtype=np.int8), size=(7, 5))
    loss = LOSSES[name](torch.from_numpy(y), torch.from_numpy(t))
    assert float(loss) == pytest.approx(LOSSES[name](y, t), rel=1e-14)


def test_tied_targets_add_a_constant_and_no_gradient():
    y = torch.tensor([0.3, -2.0], requires_grad=True)
    hinge(y, torch.tensor([0, 1])).backward()
    assert y.grad is not None
    assert y.grad.tolist() == [0.0, -0.5]


def test_spin_accuracy_counts_signs_and_ignores_ties():
    assert spin_accuracy(Y, T) == 2 / 4  # 2.0 and 0.5; an output of exactly 0 recovers nothing
    assert spin_accuracy(Y, np.array([[1, 0], [0, 0]], dtype=np.int8)) == 1.0
