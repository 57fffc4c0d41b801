"""The small net of the learned flow, and its Adam, against torch."""

import numpy as np
import torch

from coarsegrain.rg.scalar_net import gradient, number_of_parameters, outputs, start
from coarsegrain.training.plain_adam import adam_step, half_cosine

HIDDEN, N = 5, 9
X = np.linspace(-1, 1, N)


def split(parameters):
    w1, b1, w2, b2, w3, b3 = torch.split(parameters, [HIDDEN, HIDDEN, HIDDEN**2, HIDDEN, HIDDEN, 1])
    return w1, b1, w2.reshape(HIDDEN, HIDDEN), b2, w3, b3


def by_torch(parameters):
    w1, b1, w2, b2, w3, b3 = split(parameters)
    first = torch.tanh(torch.outer(torch.tensor(X), w1) + b1)
    return torch.tanh(first @ w2 + b2) @ w3 + b3


def run(parameters):
    hidden = np.empty((N, HIDDEN)), np.empty((N, HIDDEN))
    y = np.empty(N)
    outputs(parameters, X, *hidden, y)
    return y, hidden


def random_parameters():
    return np.random.default_rng(1).normal(size=number_of_parameters(HIDDEN))


def test_outputs_and_gradient_are_those_of_autograd():
    parameters = random_parameters()
    by_y = np.random.default_rng(2).normal(size=N)
    y, hidden = run(parameters)
    found = np.empty_like(parameters)
    gradient(parameters, X, *hidden, by_y, found)
    tensor = torch.tensor(parameters, requires_grad=True)
    expected = by_torch(tensor)
    (expected @ torch.tensor(by_y)).backward()
    np.testing.assert_allclose(y, expected.detach(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(found, tensor.grad, rtol=0, atol=1e-13)


def test_three_hundred_steps_of_adam_are_torchs():
    steps, rate, wanted = 300, 1e-2, np.sin(3 * X)
    parameters = random_parameters()
    tensor = torch.tensor(parameters.copy(), requires_grad=True)
    mean, square, found = (np.zeros_like(parameters) for _ in range(3))
    adam = torch.optim.Adam([tensor], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for step in range(1, steps + 1):
        y, hidden = run(parameters)
        gradient(parameters, X, *hidden, 2 / N * (y - wanted), found)
        adam_step(parameters, mean, square, found, step, rate * half_cosine(step, steps))
        adam.zero_grad()
        ((by_torch(tensor) - torch.tensor(wanted)) ** 2).mean().backward()
        adam.step()
        schedule.step()
    np.testing.assert_allclose(parameters, tensor.detach(), rtol=0, atol=1e-9)


def test_start_has_glorots_spread_and_no_biases():
    hidden = 40
    parameters = start(hidden, rng=np.random.default_rng(1))
    inner = parameters[2 * hidden : 2 * hidden + hidden**2]
    assert np.abs(inner).max() < np.sqrt(6 / (2 * hidden))
    assert abs(inner.std() * np.sqrt(hidden) - 1) < 4 * 0.45 / hidden  # σ(s)/s = 0.447/√n
    assert not parameters[hidden : 2 * hidden].any()
    assert not parameters[2 * hidden + hidden**2 : 3 * hidden + hidden**2].any()
    assert parameters[-1] == 0
